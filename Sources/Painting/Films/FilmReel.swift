import Foundation
import Imaging
import Torch

/// Takes the frames of a film into the folder of its run, each at the size asked for.
struct FilmReel {
  let run: RunFolder
  let width: Int
  let height: Int
  /// Frames in all, where that is known.
  var total: Int?
  let emit: (Event) -> Void

  /// Keeps a frame, `[1, 3, H, W]` in 0…1, whole or not at all.
  /// - Returns: the frame as it is kept.
  @discardableResult
  func add(_ picture: Tensor, _ number: Int) throws -> Picture {
    let url = run.frame(number)
    let frame = try Picture(picture[0]).resized(width: width, height: height, filter: .lanczos3)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try frame.write(to: url.path, replacing: true)
    try run.show(frame)
    emit(.frame(.init(number: number, total: total)))
    return frame
  }

  /// A frame that is kept.
  func frame(_ number: Int) throws -> Picture { try Picture.read(from: run.frame(number).path) }
}
