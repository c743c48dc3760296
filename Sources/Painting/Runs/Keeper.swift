import Foundation
import Imaging
import Torch

/// Keeps the state of a guided painting in the folder of its run: a checkpoint and a preview every few
/// seconds, and a line in the log for each iteration.
final class Keeper {
  private let run: RunFolder
  private let picture: Int
  private let every: Double
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var last: ContinuousClock.Instant

  /// What a checkpoint says beside its tensors.
  private struct Notes: Codable {
    var picture: Int
    var painting: GuidedPainting.Notes
  }

  /// Nil where there is no folder.
  init?(_ options: Engine.Options, picture: Int) {
    guard let run = options.run else { return nil }
    self.run = run
    self.picture = picture
    every = options.checkpointEvery
    start = clock.now
    last = start
  }

  /// Takes the painting to where the checkpoint was made, if there is one of this picture.
  func restore(_ painting: GuidedPainting) throws {
    guard let (notes, tensor) = try run.checkpoint(Notes.self), notes.picture == picture else {
      return
    }
    try painting.restore(notes.painting, tensor)
  }

  /// Takes note of an iteration.
  func note(_ painting: GuidedPainting, loss: Double?) throws {
    let now = clock.now
    run.log(
      iteration: painting.iteration, loss: loss, seconds: start.seconds(to: now), picture: picture)
    guard last.seconds(to: now) >= every else { return }
    try save(painting)
    try run.show(Picture(painting.picture()[0]))
    last = clock.now
  }

  /// Makes a checkpoint.
  func save(_ painting: GuidedPainting) throws {
    try run.save(Notes(picture: picture, painting: painting.notes), painting.state)
  }
}

extension ContinuousClock.Instant {
  /// Seconds from here to `other`.
  func seconds(to other: Self) -> Double {
    let parts = duration(to: other).components
    return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
  }
}
