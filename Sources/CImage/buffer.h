#ifndef CIMAGE_BUFFER_H
#define CIMAGE_BUFFER_H

#include "cimage.h"

// Returns 0 when memory is short; the buffer is then unchanged.
int cimage_buffer_append(cimage_buffer *buffer, const void *bytes, size_t count);
void cimage_say(char message[CIMAGE_MESSAGE], const char *text);
// 1 when width x height pixels are between 1 and max_pixels.
int cimage_fits(uint64_t width, uint64_t height, uint64_t max_pixels);

#endif
