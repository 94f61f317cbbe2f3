//! What is said in several faults, or at length.

use enforcer_common::limits;

use super::super::{
    super::{ManagementError, Mode, ScopeAction},
    MAX_HOSTS,
};

pub(super) const fn management(error: ManagementError) -> &'static str {
    match error {
        ManagementError::Neither => "add `url`, or a section `[management.embedded]`",
        ManagementError::Both => "remove `url` or the section `[management.embedded]`",
        ManagementError::Mixed => {
            "name all of them by `[[management.server]]`, and neither `url` nor `[management.embedded]`"
        }
        ManagementError::TooMany => {
            "remove some: one that is preferred and one that stands by are usual"
        }
        ManagementError::HalfCertificate => "name both, or neither and a `token_file`",
        ManagementError::NotHttps => "write an address that begins with https://",
        ManagementError::PinMissing => {
            "add `pin = \"sha256:…\"`, which the server prints when it starts"
        }
        ManagementError::TokenMissing => {
            "add `token_file` with the path of a file that holds the token made for this gateway, or \
             `client_certificate` and `client_key`"
        }
    }
}

pub(super) const fn word(action: ScopeAction) -> &'static str {
    match action {
        ScopeAction::Checked => "checked",
        ScopeAction::Bypassed => "bypassed",
        ScopeAction::Outside => "outside",
    }
}

pub(super) const fn consequence(mode: Mode) -> &'static str {
    match mode {
        Mode::Enforce => "would be cut off: its address is checked",
        Mode::Monitor => {
            "would be cut off as soon as the mode is `enforce`: its address is checked"
        }
    }
}

pub(super) fn capacity() -> String {
    format!(
        "write a number from 1 to {MAX_HOSTS}; {} is usual",
        limits::HOSTS
    )
}
