//! The page of an image.
