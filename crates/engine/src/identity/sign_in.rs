//! What sign-in keeps in memory.

use std::sync::Mutex;

use crate::identity::password::Hashing;
use crate::identity::seal::SecretKey;
use crate::identity::throttle::Throttle;
use crate::identity::visitor::Devices;

/// See the module.
pub(crate) struct SignIn {
    pub(super) hashing: Hashing,
    pub(super) throttle: Mutex<Throttle>,
    pub(super) devices: Devices,
}

impl SignIn {
    pub(crate) fn new(key: &SecretKey) -> Self {
        Self { hashing: Hashing::default(), throttle: Mutex::default(), devices: Devices::new(key) }
    }
}
