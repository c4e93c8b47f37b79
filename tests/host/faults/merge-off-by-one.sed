# One byte more than fits is merged into a page.
# noticed by: a merge fits up to the end of the page and no further
s/len > PAGE_SIZE - slot->offset - slot->len/len > PAGE_SIZE + 1 - slot->offset - slot->len/
