"""Object stores by URL: buckets of S3, Google Cloud Storage and Azure, and folders.

The only place that imports obstore. There are no multipart uploads, because no object is larger
than a batch in memory.
"""
