"""Downloads of recordings, transcripts and attachments; `zoom.downloads.fetching` starts them."""
