//! The page that stopped users see, and the HTTP listeners.
