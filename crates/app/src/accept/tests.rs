//! Strangers on raw sockets: slow, silent, too large, too many; and a stop under way.
