//! Who is on call: one resolver for page, screen, API and calendar feed.
