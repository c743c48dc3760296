import Foundation
import Imaging

/// Makes a video of the frames in the folder of a run, one frame in memory at a time.
public struct FilmEncoder {
  /// Whose frames.
  public let run: RunFolder
  /// What moves.
  public let film: Film

  /// An encoder; see the fields.
  public init(run: RunFolder, film: Film) {
    self.run = run
    self.film = film
  }

  /// Writes the video; the ending of the file says of which kind.
  /// - Parameters:
  ///   - url: a file that is not there yet.
  ///   - texts: what the container tells, where it can.
  ///   - progress: called with the frames done and in all.
  /// - Throws: `ImagingError`; `PaintingError.badRun` when there are no frames.
  public func encode(
    to url: URL, texts: [PictureText], progress: (Int, Int) -> Void = { _, _ in }
  ) async throws {
    let count = run.frameCount
    guard count > 0 else {
      throw PaintingError.badRun(path: run.folder.relativePath, reason: "it has no frames")
    }
    let writer = try VideoWriter(
      to: url.path,
      settings: VideoSettings(rate: film.rate, interpolatedRate: film.smooth, texts: texts))
    // A loop does not stop at its end.
    let held = film.kind == .ring ? 0 : Int((film.hold * film.rate).rounded())
    for number in 1...(count + held) {
      try await writer.append(Picture.read(from: run.frame(min(number, count)).path))
      progress(number, count + held)
    }
    try await writer.finish()
  }
}
