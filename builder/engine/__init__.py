"""What builds and runs: the Engine protocol, its events, and the engines that implement it."""
