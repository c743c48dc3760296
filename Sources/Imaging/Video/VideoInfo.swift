import Foundation

/// What a video file or a folder of frames holds.
public struct VideoInfo: Sendable, Equatable {
  /// Pixels in a row of a frame as it is shown.
  public var width: Int
  /// Rows of a frame as it is shown.
  public var height: Int
  /// Frames a second on average; nil for a folder.
  public var rate: Double?
  /// Seconds; nil for a folder and where the file does not say.
  public var duration: Double?
  /// Number of frames.
  public var frames: Int
  /// Texts of the file by keyword in lower case, such as `comment`.
  public var tags: [String: String]

  /// Asks ffprobe about the first video stream of a file.
  ///
  /// Throws `ImagingError.unreadable` with ffprobe's words when the file is no video it reads.
  static func probe(_ path: String, ffmpeg: FFmpeg, calls: BlockingCalls) async throws -> VideoInfo
  {
    func report(_ options: [String]) async throws -> Report {
      try await Self.report(path, options, of: "V:0", ffmpeg: ffmpeg, calls: calls)
    }
    var found = try await report([])
    try Task.checkCancellation()
    guard var stream = found.streams?.first, let width = stream.width, let height = stream.height,
      width > 0, height > 0
    else { throw ImagingError.unreadable(path: path, reason: "it holds no video") }
    if stream.nb_frames == nil {
      // Not every container says; counting reads the whole file but decodes nothing.
      found = try await report(["-count_packets"])
      stream = found.streams?.first ?? stream
    }
    let isTurned = stream.side_data_list?.contains { abs($0.rotation ?? 0) % 180 == 90 } ?? false
    var tags = stream.tags ?? [:]
    tags.merge(found.format?.tags ?? [:]) { $1 }
    return VideoInfo(
      width: isTurned ? height : width, height: isTurned ? width : height,
      rate: [stream.avg_frame_rate, stream.r_frame_rate].lazy.compactMap(ratio).first,
      duration: [stream.duration, found.format?.duration].lazy.compactMap {
        $0.flatMap(Double.init)
      }
      .first,
      frames: [stream.nb_frames, stream.nb_read_packets].lazy.compactMap { $0.flatMap(Int.init) }
        .first ?? 0,
      tags: Dictionary(tags.map { ($0.key.lowercased(), $0.value) }) { first, _ in first })
  }

  /// Whether a file has sound.
  /// - Throws: as `VideoReader` does of what is no video.
  public static func hasSound(_ path: String) async throws -> Bool {
    let found = try await report(path, [], of: "a:0", ffmpeg: FFmpeg(), calls: BlockingCalls())
    return found.streams?.isEmpty == false
  }

  private static func report(
    _ path: String, _ options: [String], of streams: String, ffmpeg: FFmpeg, calls: BlockingCalls
  ) async throws -> Report {
    let child = try ChildProcess(
      ffmpeg.ffprobe,
      ["-hide_banner", "-v", "error", "-select_streams", streams, "-print_format", "json"]
        + ["-show_format", "-show_streams"] + options + FFmpeg.guarded(path))
    return try await calls.run(killing: child) {
      child.closeInput()
      let bytes = child.readAll(limit: 16 << 20)
      if bytes == nil { child.kill() }
      let ending = child.wait()
      guard ending == .exit(0), let bytes,
        let report = try? JSONDecoder().decode(Report.self, from: Data(bytes))
      else { throw ImagingError.unreadable(path: path, reason: reason(child.complaint)) }
      return report
    }
  }

  /// What ffprobe complained of, in plain words where it is no video.
  private static func reason(_ complaint: String?) -> String {
    guard let complaint else { return "ffprobe: it ended early" }
    let isNone = ["not on whitelist", "Invalid data found", "moov atom not found"].contains {
      complaint.contains($0)
    }
    return isNone
      ? "it is no whole video of a kind that is read (mp4, mov, mkv, webm, avi, gif and others)"
      : "ffprobe: \(complaint)"
  }

  /// A number such as `30000/1001`; nil when it is none above 0.
  private static func ratio(_ text: String?) -> Double? {
    let parts = (text ?? "").split(separator: "/").compactMap { Double($0) }
    guard parts.count == 2, parts[1] > 0, parts[0] > 0 else { return nil }
    return parts[0] / parts[1]
  }

  /// ffprobe's JSON; the names are its own.
  private struct Report: Decodable {
    struct Stream: Decodable {
      struct SideData: Decodable { var rotation: Int? }
      var width, height: Int?
      var avg_frame_rate, r_frame_rate, duration, nb_frames, nb_read_packets: String?
      var side_data_list: [SideData]?
      var tags: [String: String]?
    }
    struct Format: Decodable {
      var duration: String?
      var tags: [String: String]?
    }
    var streams: [Stream]?
    var format: Format?
  }
}
