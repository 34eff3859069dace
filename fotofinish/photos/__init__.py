"""Photos: intake, EXIF, decoding, previews, gallery queries."""
