//! Questions that checks ask of the world.
