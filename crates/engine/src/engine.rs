pub const FLUSH_EVERY: allclear_domain::time::Length = allclear_domain::time::Length::from_secs(15);
