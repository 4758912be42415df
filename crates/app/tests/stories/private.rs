//! A private incident does not exist for those who may not see it.
