//! Everything known of each host, combined into one role.
