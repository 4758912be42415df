//! Who reads a page: visitors, readers, signing in, and a form's key.

pub(crate) mod form_key;
pub(crate) mod reader;
pub(crate) mod sign_in;
pub(crate) mod visitor;
