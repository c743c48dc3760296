import Foundation

/// The frames of a video file, or of a folder of pictures, one after another.
///
/// ```swift
/// for try await frame in try await VideoReader("dance.mp4", size: (512, 288)) { … }
/// ```
///
/// One frame at a time is decoded. Breaking off the loop, or cancelling the task, ends FFmpeg.
public struct VideoReader: AsyncSequence, Sendable {
  /// What the file or folder holds, before any limit or scaling.
  public let info: VideoInfo
  /// Pixels in a row of the frames that come.
  public let width: Int
  /// Rows of the frames that come.
  public let height: Int

  private enum Source: Sendable {
    case file(FFmpeg)
    case folder([String])
  }

  private let path: String
  private let source: Source
  private let range: Range<Int>
  private let stretches: Bool
  private let limits: ReadingLimits

  /// Opens a video file, or a folder whose PNG, JPEG and WebP files are the frames in the natural
  /// order of their names (`2.png` before `10.png`).
  ///
  /// - Parameters:
  ///   - frames: Which frames come, counted from 0; all when nil.
  ///   - size: The size to which all frames are stretched; that of the first frame when nil.
  ///   - ffmpeg: The programs; searched for on the PATH when nil. A folder needs none.
  ///
  /// Throws `ImagingError` when there is no such file, it is no video that FFmpeg reads, a folder
  /// holds no frames, or a frame has more pixels than `limits` allow.
  public init(
    _ path: String, frames: Range<Int>? = nil, size: (width: Int, height: Int)? = nil,
    limits: ReadingLimits = .init(), ffmpeg: FFmpeg? = nil
  ) async throws {
    self.path = path
    self.limits = limits
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw ImagingError.unreadable(path: path, reason: String(cString: strerror(errno)))
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR:
      let names = try Self.pictures(in: path)
      guard let first = names.first else {
        throw ImagingError.unreadable(path: path, reason: "the folder holds no pictures")
      }
      let picture = try Picture.read(from: first, limits: limits)
      source = .folder(names)
      info = VideoInfo(
        width: picture.width, height: picture.height, frames: names.count, tags: [:])
    case S_IFREG:
      let programs = try ffmpeg ?? FFmpeg()
      source = .file(programs)
      info = try await VideoInfo.probe(path, ffmpeg: programs, calls: BlockingCalls())
    default: throw ImagingError.unreadable(path: path, reason: "it is not a regular file")
    }
    (width, height) = size ?? (info.width, info.height)
    stretches = size != nil
    for (width, height) in [(info.width, info.height), (width, height)] {
      _ = try Picture.byteCount(width: width, height: height, channels: 3)
      guard width * height <= limits.pixels else {
        throw ImagingError.tooLarge(
          name: path, reason: "\(width) x \(height) pixels; at most \(limits.pixels) are read")
      }
    }
    range = (frames ?? 0..<Int(Int32.max)).clamped(to: 0..<Int(Int32.max))
  }

  /// Starts from the first frame.
  public func makeAsyncIterator() -> Iterator {
    switch source {
    case .file where range.isEmpty:
      Iterator(pictures: [], size: (0, 0), stretches: false, limits: limits)
    case .file(let ffmpeg): Iterator(stream: VideoStream(path, self, arguments, ffmpeg.ffmpeg))
    case .folder(let names):
      Iterator(
        pictures: names[range.clamped(to: 0..<names.count)], size: (width, height),
        stretches: stretches, limits: limits)
    }
  }

  private var arguments: [String] {
    ["-hide_banner", "-nostdin", "-loglevel", "error", "-xerror"]
      + ["-max_pixels", "\(limits.pixels)"] + FFmpeg.guarded(path)
      // Always scaled, so that a change of size within the file cannot shift the bytes that come.
      + [
        "-map", "0:V:0", "-vf",
        "trim=start_frame=\(range.lowerBound):end_frame=\(range.upperBound),"
          + "scale=\(width):\(height):flags=lanczos",
      ]
      + ["-fps_mode", "passthrough", "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"]
  }

  private static func pictures(in folder: String) throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
      !$0.hasPrefix(".") && (try? PictureFormat(extensionOf: $0)) != nil
    }
    return names.sorted(by: naturallyPrecedes).map { "\(folder)/\($0)" }
  }

  /// Gives out the frames.
  public struct Iterator: AsyncIteratorProtocol {
    private let stream: VideoStream?
    private var pictures: ArraySlice<String> = []
    private var size = (width: 0, height: 0)
    private var stretches = false
    private var limits = ReadingLimits()

    fileprivate init(stream: VideoStream) { self.stream = stream }

    fileprivate init(
      pictures: ArraySlice<String>, size: (width: Int, height: Int), stretches: Bool,
      limits: ReadingLimits
    ) {
      stream = nil
      self.pictures = pictures
      self.size = size
      self.stretches = stretches
      self.limits = limits
    }

    /// The next frame, RGB; nil at the end.
    ///
    /// Throws `ImagingError` when the rest cannot be decoded or a picture of the folder has another
    /// size than the first and no size was asked for; `CancellationError` when the task is cancelled.
    public mutating func next() async throws -> Picture? {
      if let stream { return try await stream.next() }
      try Task.checkCancellation()
      guard let path = pictures.popFirst() else { return nil }
      let picture = try Picture.read(from: path, limits: limits).composited(over: .white)
      if stretches { return try picture.resized(width: size.width, height: size.height) }
      guard (picture.width, picture.height) == size else {
        throw ImagingError.badSize(
          "\(path) has \(picture.width) x \(picture.height) pixels and the first frame of the "
            + "folder \(size.width) x \(size.height)")
      }
      return picture
    }
  }
}

/// FFmpeg at work on one pass through a file.
private final class VideoStream: Sendable {
  private let path: String
  private let width, height: Int
  private let program: Result<ChildProcess, any Error>
  private let calls = BlockingCalls()

  init(_ path: String, _ reader: VideoReader, _ arguments: [String], _ program: String) {
    self.path = path
    (width, height) = (reader.width, reader.height)
    self.program = Result { try ChildProcess(program, arguments) }
  }

  func next() async throws -> Picture? {
    try Task.checkCancellation()
    let child = try program.get()
    let (path, width, height) = (path, width, height)
    return try await calls.run(killing: child) {
      child.closeInput()
      let count = width * height * 3
      var got = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        got = child.read(into: UnsafeMutableRawBufferPointer(buffer))
        initialized = got
      }
      if got == count {
        return Picture(unchecked: bytes, width: width, height: height, channels: 3)
      }
      // -xerror makes FFmpeg fail where it would leave damaged frames out; the trim filter's early
      // end is no failure.
      guard child.wait() == .exit(0), got == 0 else {
        throw ImagingError.unreadable(
          path: path, reason: "ffmpeg: \(child.complaint ?? "it ended early")")
      }
      return nil
    }
  }
}

/// Whether `a` comes before `b` when runs of digits count as numbers.
func naturallyPrecedes(_ a: String, _ b: String) -> Bool {
  func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  var (x, y) = (Array(a.utf8)[...], Array(b.utf8)[...])
  while let p = x.first, let q = y.first {
    guard isDigit(p), isDigit(q) else {
      if p != q { return p < q }
      (x, y) = (x.dropFirst(), y.dropFirst())
      continue
    }
    // Without leading zeros the longer number is the larger one, whatever its length.
    let (m, n) = (x.prefix(while: isDigit), y.prefix(while: isDigit))
    let (s, t) = (m.drop { $0 == UInt8(ascii: "0") }, n.drop { $0 == UInt8(ascii: "0") })
    if s.count != t.count { return s.count < t.count }
    if !s.elementsEqual(t) { return s.lexicographicallyPrecedes(t) }
    (x, y) = (x.dropFirst(m.count), y.dropFirst(n.count))
  }
  return x.isEmpty && y.isEmpty ? a < b : x.isEmpty
}
