"""The tar form of a bundle: one stream, whole or in numbered chunks, with a signed table of contents written last.

| to | use |
|---|---|
| write chunks | `chunk_writer.ChunkWriter`, `writing.tar_stream` into it, then `ChunkWriter.finish` |
| write to a pipe | `writing.tar_stream` into the pipe |
| know sizes before | `writing.member_size`, `writing.END_SIZE`, `stored_gzip.stored_size` |
| read chunks | `toc_reader.read_toc`, `relisting.locate`, `reading.reading_chunks` |
| read from a pipe | `reading.reading_pipe` |
| say what to send again | `relisting.examine` |
"""
