//! What one source says of one host.

use std::sync::Arc;

use enforcer_common::host::SourceId;
use smallvec::SmallVec;

use super::{decided::Decided, row::Row};
use crate::identity::Mac;

/// One endpoint's part in a host.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub(super) source: SourceId,
    pub(super) mac: Option<Mac>,
    pub(super) decided: Arc<Decided>,
}

/// All parts in a host: nearly always one.
pub(super) type Shares = SmallVec<[Share; 1]>;

impl Share {
    pub(super) fn row(&self) -> Row {
        Row {
            role: self.decided.role,
            source: self.source,
            mac: self.mac,
            until: self.decided.valid_until,
        }
    }
}
