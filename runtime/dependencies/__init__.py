"""What a function file needs from a package index: read, resolved, installed and removed.

    file ─ script_metadata ─▶ block ─ resolver ─▶ lock ─ builder ─▶ environment

The publisher resolves a block once; every worker installs what the lock says.
"""
