// Removed when the first file arrives.
