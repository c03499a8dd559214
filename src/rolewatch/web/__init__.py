"""HTTP requests in; pages and JSON of what a watcher knows out, and the decisions of people back into its state."""
