"""The console without a screen: its places, their actions, and the line mode; `issbox.tui` shows them full-screen."""
