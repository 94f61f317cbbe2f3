//! Who a decision is about: from what the server saw to hosts of this gateway.
