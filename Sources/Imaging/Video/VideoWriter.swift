import Foundation

/// How frames become a video.
public struct VideoSettings: Sendable, Equatable {
  /// Frames a second that are appended, above 0 and at most 240.
  public var rate: Double
  /// Frames a second of the file; more than `rate` fills in frames by motion between those appended.
  public var interpolatedRate: Double?
  /// Texts for the file. MP4, WebM and WebP hold all of them; GIF only the one called `comment`.
  public var texts: [PictureText]

  /// Makes settings.
  public init(rate: Double = 15, interpolatedRate: Double? = nil, texts: [PictureText] = []) {
    self.rate = rate
    self.interpolatedRate = interpolatedRate
    self.texts = texts
  }
}

/// Writes a video frame by frame through FFmpeg.
///
/// ```swift
/// let writer = try VideoWriter(to: "whale.mp4", settings: VideoSettings(rate: 24))
/// for try await picture in pictures { try await writer.append(picture) }
/// try await writer.finish()
/// ```
///
/// Appending waits while FFmpeg is busy, so frames do not pile up in memory. The file takes its name
/// when it is complete, and only if that name is still free. A writer that is cancelled, fails, or is
/// let go of before `finish` leaves nothing behind; so does one whose task is cancelled meanwhile.
public actor VideoWriter {
  /// The path of the finished video.
  public nonisolated let path: String
  private let format: VideoFormat
  private let settings: VideoSettings
  private let ffmpeg: FFmpeg
  private let calls = BlockingCalls()
  private let temporary: String
  private var child: ChildProcess?
  private var size: (width: Int, height: Int)?
  private var ended = false
  private var cancelled = false

  /// Prepares a video; FFmpeg starts with the first frame.
  ///
  /// - Parameters:
  ///   - format: What to write; by the name's extension when nil.
  ///   - ffmpeg: The programs; searched for on the PATH when nil.
  ///
  /// Throws `ImagingError.exists` when the file exists, `.missingProgram` without FFmpeg,
  /// `.notEncodable` for rates or texts that no video has, `.unwritable` for an unknown extension or
  /// a folder that is not there.
  public init(
    to path: String, as format: VideoFormat? = nil, settings: VideoSettings = .init(),
    ffmpeg: FFmpeg? = nil
  ) throws {
    self.path = path
    self.format = try format ?? VideoFormat(extensionOf: path)
    self.settings = settings
    for rate in [settings.rate, settings.interpolatedRate ?? settings.rate]
    where !(rate > 0 && rate <= 240) {
      throw ImagingError.notEncodable(
        kind: "video", reason: "\(rate) frames a second; there must be more than 0, at most 240")
    }
    for text in settings.texts {
      try text.check(for: "video")
      guard !text.keyword.contains("=") else {
        throw ImagingError.notEncodable(
          kind: "video", reason: "the keyword '\(text.keyword)' contains '='")
      }
      // FFmpeg takes texts as arguments, and Linux limits one of these to 128 KiB.
      guard text.text.utf8.count <= 100_000 else {
        throw ImagingError.notEncodable(
          kind: "video", reason: "the text '\(text.keyword)' has more than 100000 bytes")
      }
    }
    try FileOutput.refuseExisting(path)
    let target = URL(fileURLWithPath: path).path
    let folder = URL(fileURLWithPath: target).deletingLastPathComponent().path
    guard access(folder, W_OK) == 0 else {
      throw ImagingError.unwritable(path: path, reason: String(cString: strerror(errno)))
    }
    self.ffmpeg = try ffmpeg ?? FFmpeg()
    temporary = FileOutput.temporaryName(beside: target)
  }

  deinit {
    child?.kill()
    _ = child?.wait()
    unlink(temporary)
  }

  /// Adds a frame; transparency is laid over white. The first frame sets the size of all.
  ///
  /// Throws `ImagingError.badSize` for a frame of another size, which leaves the video as it was;
  /// `.unwritable` with what FFmpeg says when it fails, and `CancellationError` when the task or the
  /// writer is cancelled, which end the video.
  public func append(_ picture: Picture) async throws {
    guard !ended else { throw ImagingError.unwritable(path: path, reason: "the video has ended") }
    try Task.checkCancellation()
    let child = try child ?? start(picture.width, picture.height)
    guard let size, picture.width == size.width, picture.height == size.height else {
      throw ImagingError.badSize(
        "a frame of \(picture.width) x \(picture.height) in a video of "
          + "\(size?.width ?? 0) x \(size?.height ?? 0) pixels")
    }
    do {
      try await calls.run(killing: child) {
        try picture.composited(over: .white).bytes.withUnsafeBytes { try child.write($0) }
      }
    } catch {
      throw await failure(of: child)
    }
  }

  /// Completes the file and gives it its name.
  ///
  /// Throws `ImagingError.notEncodable` when there was no frame, and otherwise as `append` does.
  public func finish() async throws {
    guard !ended else { throw ImagingError.unwritable(path: path, reason: "the video has ended") }
    ended = true
    guard let child else {
      throw ImagingError.notEncodable(kind: "video", reason: "it has no frames")
    }
    let ending = try await calls.run(killing: child) {
      child.closeInput()
      return child.wait()
    }
    guard ending == .exit(0), !Task.isCancelled else { throw await failure(of: child) }
    try addTexts()
    try FileOutput.move(temporary, to: path)
  }

  /// Ends FFmpeg at once and removes what it has written; does nothing after `finish`.
  public func cancel() async {
    guard !ended else { return }
    (ended, cancelled) = (true, true)
    child?.kill()
    if let child { _ = try? await calls.run(killing: child) { child.wait() } }
    unlink(temporary)
  }

  // MARK: - FFmpeg

  private func start(_ width: Int, _ height: Int) throws -> ChildProcess {
    var filters: [String] = []
    if let rate = settings.interpolatedRate, rate != settings.rate {
      guard min(width, height) >= 16 else {
        throw ImagingError.notEncodable(
          kind: "video", reason: "frames below 16 x 16 pixels cannot be interpolated")
      }
      // Motion-compensated interpolation as nerdyrodent/VQGAN-CLIP sets it up.
      filters.append(
        "minterpolate=fps=\(rate):mi_mode=mci:me=hexbs:me_mode=bidir:mc_mode=aobmc:vsbmc=1"
          + ":mb_size=8:search_param=32")
    }
    let texts = [VideoFormat.mp4, .webm].contains(format) ? settings.texts : []
    let made = try ChildProcess(
      ffmpeg.ffmpeg,
      ["-hide_banner", "-nostdin", "-loglevel", "error", "-protocol_whitelist", "file,pipe"]
        + ["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", "\(width)x\(height)"]
        + ["-framerate", "\(settings.rate)", "-i", "pipe:0", "-fflags", "+bitexact"]
        + texts.flatMap { ["-metadata", "\($0.keyword)=\($0.text)"] }
        + format.arguments(width: width, height: height, filters: filters)
        + ["-n", FFmpeg.name(temporary)])
    (child, size) = (made, (width, height))
    return made
  }

  /// Ends the video and says why.
  private func failure(of child: ChildProcess) async -> any Error {
    ended = true
    cancelled = cancelled || Task.isCancelled
    // A child that hung up by itself has something to say; it is not killed before it has ended.
    let ending = try? await calls.run(killing: child) {
      child.closeInput()
      return child.wait()
    }
    unlink(temporary)
    if cancelled { return CancellationError() }
    let reason =
      switch ending {
      case .signal(let number): "ffmpeg was ended by signal \(number)"
      default: "ffmpeg: \(child.complaint ?? "it ended early")"
      }
    return ImagingError.unwritable(path: path, reason: reason)
  }

  /// FFmpeg writes no texts into GIF and WebP; both take them at the end of a finished file.
  private func addTexts() throws {
    switch format {
    case .mp4, .webm: break
    case .gif:
      guard let text = settings.texts.first(where: { $0.keyword == "comment" }) else { return }
      try GIFComment.add(text.text, to: temporary)
    case .webp:
      guard !settings.texts.isEmpty else { return }
      let url = URL(fileURLWithPath: temporary)
      try WebPContainer.adding(settings.texts, to: Data(contentsOf: url)).write(to: url)
    }
  }
}

/// CompuServe, "Graphics Interchange Format, Version 89a", 24: comment extension.
enum GIFComment {
  /// Puts a comment before the trailer, the last byte of a GIF file.
  static func add(_ text: String, to path: String) throws {
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    defer { try? file.close() }
    try file.seek(toOffset: try file.seekToEnd() - 1)
    var bytes: [UInt8] = [0x21, 0xfe]
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let part = rest.prefix(255)
      bytes += [UInt8(part.count)] + part
      rest = rest.dropFirst(255)
    }
    try file.write(contentsOf: Data(bytes + [0, 0x3b]))
  }
}
