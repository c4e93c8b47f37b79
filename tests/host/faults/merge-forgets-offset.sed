# The bytes that were read off the page's start count as room at its end.
# noticed by: a merge fits up to the end of the page and no further
s/PAGE_SIZE - slot->offset - slot->len)/PAGE_SIZE - slot->len)/
