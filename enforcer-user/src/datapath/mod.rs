//! The kernel side, seen from user space: the only module that names aya.
