//! What decides: the management server, the operator.
