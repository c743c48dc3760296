import Foundation

/// The kinds of video files that are written.
public enum VideoFormat: String, Sendable, CaseIterable {
  /// H.264 in MP4, for everything that plays videos.
  case mp4
  /// VP9 in WebM, for the web.
  case webm
  /// An endless GIF of 256 colours. FFmpeg holds all its frames in memory to choose the colours.
  case gif
  /// An endless animated WebP.
  case webp

  /// The format of a file name's extension, in any case.
  ///
  /// Throws `ImagingError.unwritable` for any other.
  public init(extensionOf path: String) throws {
    let name = URL(fileURLWithPath: path).pathExtension.lowercased()
    guard let format = VideoFormat(rawValue: name) else {
      throw ImagingError.unwritable(
        path: path, reason: "the name of a video must end in .mp4, .webm, .gif or .webp")
    }
    self = format
  }

  /// FFmpeg's arguments from the filters to the muxer, for frames of a size.
  ///
  /// - Parameter filters: What comes before the format's own filters.
  func arguments(width: Int, height: Int, filters: [String]) -> [String] {
    switch self {
    case .mp4:
      // medium: veryslow takes several times as long for files that are hardly smaller.
      return Self.chain(filters + Self.bt709(width, height))
        + ["-c:v", "libx264", "-preset", "medium", "-crf", "17"] + Self.bt709Tags
        + ["-movflags", "+faststart+use_metadata_tags", "-f", "mp4"]
    case .webm:
      return Self.chain(filters + Self.bt709(width, height))
        + ["-c:v", "libvpx-vp9", "-crf", "24", "-b:v", "0", "-row-mt", "1"] + Self.bt709Tags
        + ["-f", "webm"]
    case .gif:
      let palette = "split[a][b];[a]palettegen[palette];[b][palette]paletteuse"
      return Self.chain([(filters + [palette]).joined(separator: ",")])
        + ["-loop", "0", "-f", "gif"]
    case .webp:
      return Self.chain(filters) + ["-c:v", "libwebp_anim", "-quality", "90", "-loop", "0"]
        + ["-f", "webp"]
    }
  }

  private static func chain(_ filters: [String]) -> [String] {
    filters.isEmpty ? [] : ["-filter_complex", filters.joined(separator: ",")]
  }

  /// Filters for 4:2:0 video. It needs even sides: an odd one grows by a copy of its last line, in
  /// RGB, for subsampled colour has no such line.
  private static func bt709(_ width: Int, _ height: Int) -> [String] {
    let (right, bottom) = (width % 2, height % 2)
    let even = [
      "format=gbrp", "pad=\(width + right):\(height + bottom)",
      "fillborders=right=\(right):bottom=\(bottom):mode=smear",
    ]
    return (right + bottom == 0 ? [] : even)
      + ["scale=out_color_matrix=bt709:out_range=tv", "format=yuv420p"]
  }

  // Players guess the matrix of a file that does not name it, and guess by its size.
  private static let bt709Tags = [
    "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range",
    "tv",
  ]
}
