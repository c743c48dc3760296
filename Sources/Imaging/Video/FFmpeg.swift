import Foundation

/// Where the programs of FFmpeg 5.1 or later are; videos are written and read through them.
public struct FFmpeg: Sendable, Equatable {
  /// The encoder and decoder.
  public let ffmpeg: String
  /// The program that says what a file holds.
  public let ffprobe: String

  /// Looks for the programs in the folders of `path`, separated by colons; those of the environment
  /// variable `PATH` unless told otherwise.
  ///
  /// Throws `ImagingError.missingProgram` when one is in none of them.
  public init(searching path: String? = nil) throws {
    let folders = (path ?? ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    func find(_ name: String) throws -> String {
      // An empty entry of PATH means the current folder, which is no place to run programs from.
      let candidates = folders.filter { $0.hasPrefix("/") }.map { "\($0)/\(name)" }
      guard let found = candidates.first(where: FileManager.default.isExecutableFile) else {
        throw ImagingError.missingProgram(name: name, package: "ffmpeg")
      }
      return found
    }
    ffmpeg = try find("ffmpeg")
    ffprobe = try find("ffprobe")
  }

  /// What keeps a hostile file from making FFmpeg open anything but that file: no network, and no
  /// demuxer that follows names inside the file, such as those of playlists.
  static func guarded(_ path: String) -> [String] {
    [
      "-protocol_whitelist", "file,pipe",
      "-format_whitelist",
      "mov,matroska,gif,apng,avi,mpeg,mpegts,mpegvideo,h264,hevc,ivf,ogg,flv,asf,yuv4mpegpipe",
      "-i", name(path),
    ]
  }

  /// The name under which FFmpeg sees a local file: never an option or another protocol.
  static func name(_ path: String) -> String { "file:" + URL(fileURLWithPath: path).path }
}

/// Runs calls that block, one after another, away from the threads of the cooperative pool.
struct BlockingCalls: Sendable {
  private let queue = DispatchQueue(label: "video")

  /// Runs `body`; a cancelled task kills the program, which makes the call return.
  ///
  /// Throws what `body` throws, or `CancellationError` when the task is cancelled by then.
  func run<Result: Sendable>(
    killing child: ChildProcess?, _ body: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        queue.async { continuation.resume(returning: Swift.Result(catching: body)) }
      }
    } onCancel: {
      child?.kill()
    }
    try Task.checkCancellation()
    return try result.get()
  }
}
