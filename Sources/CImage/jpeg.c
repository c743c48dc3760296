#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// After stdio.h, which jpeglib.h needs and does not include.
#include <jpeglib.h>
#include <jerror.h>

#include "buffer.h"

// Progressive files can hold thousands of scans over a large picture: minutes of work in a few KB.
enum { MAX_SCANS = 200 };

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf jump;
  char *message;
} errors;

static void on_error(j_common_ptr info) {
  errors *e = (errors *)info->err;
  char text[JMSG_LENGTH_MAX];
  e->base.format_message(info, text);
  cimage_say(e->message, text);
  longjmp(e->jump, 1);
}

static int has_one_scan(j_common_ptr info) {
  j_decompress_ptr in = (j_decompress_ptr)info;
  return info->is_decompressor && !in->progressive_mode && in->num_components > 0 &&
         in->comps_in_scan == in->num_components;
}

// libjpeg paints grey over what is missing and only warns. A broken picture is an error here;
// remarks about padding and odd markers are not.
static void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
  case JWRN_JPEG_EOF:
    // Where all is in one scan, lacking pixels are told by JWRN_HIT_MARKER; else only the end may lack.
    if (!has_one_scan(info)) on_error(info);
    info->err->num_warnings++;
    break;
  case JWRN_HIT_MARKER:
  case JWRN_HUFF_BAD_CODE:
  case JWRN_ARITH_BAD_CODE:
  case JWRN_MUST_RESYNC:
  case JWRN_BOGUS_PROGRESSION:
    on_error(info);
  default:
    info->err->num_warnings++;
  }
}

static void no_output(j_common_ptr info) { (void)info; }

static void on_progress(j_common_ptr info) {
  if (!info->is_decompressor) return;
  if (((j_decompress_ptr)info)->input_scan_number > MAX_SCANS) {
    errors *e = (errors *)info->err;
    cimage_say(e->message, "more than 200 scans");
    longjmp(e->jump, 1);
  }
}

static struct jpeg_error_mgr *prepare(errors *e, char *message) {
  jpeg_std_error(&e->base);
  e->base.error_exit = on_error;
  e->base.emit_message = on_message;
  e->base.output_message = no_output;
  e->message = message;
  return &e->base;
}

// Adobe writers store CMYK inverted, so that 255 means no ink.
static void convert_cmyk(const uint8_t *from, uint8_t *to, size_t width, int inverted) {
  for (size_t x = 0; x < width; x++) {
    unsigned k = inverted ? from[4 * x + 3] : 255u - from[4 * x + 3];
    for (size_t c = 0; c < 3; c++) {
      unsigned v = inverted ? from[4 * x + c] : 255u - from[4 * x + c];
      to[3 * x + c] = (uint8_t)((v * k + 127) / 255);
    }
  }
}

cimage_status cimage_jpeg_decode(
    const uint8_t *data, size_t count, uint64_t max_pixels, cimage_pixels *out,
    char message[CIMAGE_MESSAGE]) {
  memset(out, 0, sizeof *out);
  struct jpeg_decompress_struct info;
  struct jpeg_progress_mgr progress;
  errors e;
  uint8_t *volatile pixels = NULL;
  uint8_t *volatile line = NULL;
  volatile cimage_status status = CIMAGE_CORRUPT;

  memset(&info, 0, sizeof info);
  memset(&progress, 0, sizeof progress);
  info.err = prepare(&e, message);
  if (setjmp(e.jump) == 0) {
    jpeg_create_decompress(&info);
    progress.progress_monitor = on_progress;
    info.progress = &progress;
    jpeg_mem_src(&info, data, count);
    jpeg_read_header(&info, TRUE);
    size_t width = info.image_width, height = info.image_height;
    out->width = width;
    out->height = height;
    out->channels = 3;
    if (!cimage_fits(width, height, max_pixels)) {
      status = CIMAGE_TOO_LARGE;
      cimage_say(message, "too many pixels");
      longjmp(e.jump, 1);
    }
    int ink = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
    if (info.jpeg_color_space == JCS_UNKNOWN) {
      status = CIMAGE_UNSUPPORTED;
      cimage_say(message, "unknown colour space");
      longjmp(e.jump, 1);
    }
    info.out_color_space = ink ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info);
    pixels = malloc(width * height * 3);
    line = malloc(width * 4);
    if (!pixels || !line) {
      status = CIMAGE_MEMORY;
      cimage_say(message, "out of memory");
      longjmp(e.jump, 1);
    }
    while (info.output_scanline < info.output_height) {
      uint8_t *target = pixels + (size_t)info.output_scanline * width * 3;
      JSAMPROW row = ink ? line : target;
      jpeg_read_scanlines(&info, &row, 1);
      if (ink) convert_cmyk(line, target, width, info.saw_Adobe_marker);
    }
    jpeg_finish_decompress(&info);
    status = CIMAGE_OK;
  }
  jpeg_destroy_decompress(&info);
  free(line);
  if (status == CIMAGE_OK) {
    out->bytes = pixels;
  } else {
    free(pixels);
  }
  return status;
}

cimage_status cimage_jpeg_encode(
    const cimage_pixels *pixels, int quality, cimage_buffer *out, char message[CIMAGE_MESSAGE]) {
  memset(out, 0, sizeof *out);
  struct jpeg_compress_struct info;
  errors e;
  unsigned char *bytes = NULL;
  unsigned long count = 0;
  volatile cimage_status status = CIMAGE_CORRUPT;

  memset(&info, 0, sizeof info);
  info.err = prepare(&e, message);
  if (setjmp(e.jump) == 0) {
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &bytes, &count);
    info.image_width = (JDIMENSION)pixels->width;
    info.image_height = (JDIMENSION)pixels->height;
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    info.optimize_coding = TRUE;
    if (quality >= 90) {
      info.comp_info[0].h_samp_factor = 1;
      info.comp_info[0].v_samp_factor = 1;
    }
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
      JSAMPROW row = pixels->bytes + (size_t)info.next_scanline * pixels->width * 3;
      jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    status = CIMAGE_OK;
  }
  jpeg_destroy_compress(&info);
  if (status == CIMAGE_OK) {
    out->bytes = bytes;
    out->count = out->capacity = count;
  }
  return status;
}
