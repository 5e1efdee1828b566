"""What lies on the disk: blobs by digest, batches that bring them in, published trees and what shows them."""
