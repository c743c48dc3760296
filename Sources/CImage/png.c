#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"

typedef struct {
  char *message;
  const uint8_t *data;
  size_t count, offset;
  cimage_buffer *out;
} state;

static void on_error(png_structp png, png_const_charp text) {
  state *s = png_get_error_ptr(png);
  cimage_say(s->message, text);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void read_bytes(png_structp png, png_bytep bytes, size_t count) {
  state *s = png_get_io_ptr(png);
  if (count > s->count - s->offset) png_error(png, "the file ends early");
  memcpy(bytes, s->data + s->offset, count);
  s->offset += count;
}

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
  state *s = png_get_io_ptr(png);
  if (!cimage_buffer_append(s->out, bytes, count)) png_error(png, "out of memory");
}

static void flush_bytes(png_structp png) { (void)png; }

cimage_status cimage_png_decode(
    const uint8_t *data, size_t count, uint64_t max_pixels, cimage_pixels *out,
    char message[CIMAGE_MESSAGE]) {
  memset(out, 0, sizeof *out);
  state s = {.message = message, .data = data, .count = count};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    cimage_say(message, "out of memory");
    return CIMAGE_MEMORY;
  }
  // Written between setjmp and longjmp, hence volatile.
  uint8_t *volatile pixels = NULL;
  png_bytep *volatile rows = NULL;
  volatile cimage_status status = CIMAGE_CORRUPT;

  if (setjmp(png_jmpbuf(png)) == 0) {
    png_set_read_fn(png, &s, read_bytes);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    png_set_chunk_malloc_max(png, 16u << 20);
#ifdef PNG_HANDLE_AS_UNKNOWN_SUPPORTED
    // Only tRNS changes pixels here; profiles, texts and the like need not be parsed.
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(
        png, PNG_HANDLE_CHUNK_AS_DEFAULT, (png_const_bytep) "tRNS\0", 1);
#endif
    png_read_info(png, info);
    size_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    out->width = width;
    out->height = height;
    if (!cimage_fits(width, height, max_pixels)) {
      status = CIMAGE_TOO_LARGE;
      png_error(png, "too many pixels");
    }
    png_set_scale_16(png);
    png_set_expand(png);
    png_set_gray_to_rgb(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t channels = png_get_channels(png, info);
    if ((channels != 3 && channels != 4) || png_get_bit_depth(png, info) != 8 ||
        png_get_rowbytes(png, info) != width * channels) {
      status = CIMAGE_UNSUPPORTED;
      png_error(png, "unsupported pixel layout");
    }
    out->channels = channels;
    pixels = malloc(width * height * channels);
    rows = malloc(height * sizeof *rows);
    if (!pixels || !rows) {
      status = CIMAGE_MEMORY;
      png_error(png, "out of memory");
    }
    for (size_t y = 0; y < height; y++) rows[y] = pixels + y * width * channels;
    png_read_image(png, rows);
    // The picture is whole: what is behind it, or is missing there, changes none of it.
    status = CIMAGE_OK;
    png_read_end(png, NULL);
  }
  png_destroy_read_struct(&png, &info, NULL);
  free(rows);
  if (status == CIMAGE_OK) {
    out->bytes = pixels;
  } else {
    free(pixels);
  }
  return status;
}

cimage_status cimage_png_encode(
    const cimage_pixels *pixels, const cimage_text *texts, size_t text_count, int compression,
    cimage_buffer *out, char message[CIMAGE_MESSAGE]) {
  memset(out, 0, sizeof *out);
  state s = {.message = message, .out = out};
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_write_struct(&png, NULL);
    cimage_say(message, "out of memory");
    return CIMAGE_MEMORY;
  }
  volatile cimage_status status = CIMAGE_CORRUPT;
  if (setjmp(png_jmpbuf(png)) == 0) {
    png_set_write_fn(png, &s, write_bytes, flush_bytes);
    png_set_compression_level(png, compression);
    png_set_IHDR(
        png, info, (png_uint_32)pixels->width, (png_uint_32)pixels->height, 8,
        pixels->channels == 4 ? PNG_COLOR_TYPE_RGBA : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    for (size_t i = 0; i < text_count; i++) {
      png_text text;
      memset(&text, 0, sizeof text);
      text.compression =
          texts[i].international ? PNG_ITXT_COMPRESSION_NONE : PNG_TEXT_COMPRESSION_NONE;
      text.key = (png_charp)texts[i].keyword;
      text.text = (png_charp)texts[i].text;
      png_set_text(png, info, &text, 1);
    }
    png_write_info(png, info);
    for (size_t y = 0; y < pixels->height; y++) {
      png_write_row(png, pixels->bytes + y * pixels->width * pixels->channels);
    }
    png_write_end(png, NULL);
    status = CIMAGE_OK;
  }
  png_destroy_write_struct(&png, &info);
  if (status != CIMAGE_OK) {
    free(out->bytes);
    memset(out, 0, sizeof *out);
  }
  return status;
}
