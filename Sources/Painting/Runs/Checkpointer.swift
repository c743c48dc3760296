import Foundation
import Imaging
import Torch

/// Keeps the state of a painting in the folder of its run: a checkpoint and a preview every few seconds, and
/// a line in the log for each step.
final class Checkpointer {
  private let run: RunFolder
  private let picture: Int
  private let every: Double
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var last: ContinuousClock.Instant

  /// What a checkpoint says beside its tensors.
  private struct Notes: Codable {
    var picture: Int
    var painting: JSONValue
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
  func restore(_ pipeline: any Pipeline) throws {
    guard let (notes, tensor) = try run.checkpoint(JSONValue.self) else { return }
    guard case .object(let fields) = notes, let painting = fields["painting"] else {
      // As earlier versions kept candidates, of which a run has one set.
      return try pipeline.restore(JSONEncoder().encode(notes), tensor)
    }
    guard fields["picture"] == .integer(picture) else { return }
    try pipeline.restore(JSONEncoder().encode(painting), tensor)
  }

  /// Takes note of a step.
  func note(_ pipeline: any Pipeline, loss: Double?) throws {
    let now = clock.now
    run.log(
      iteration: pipeline.done, loss: loss, seconds: (now - start).seconds, picture: picture)
    guard (now - last).seconds >= every else { return }
    try save(pipeline)
    do {
      try run.show(Picture(pipeline.current()[0]))
    } catch PaintingError.stoppedEarly {
      // There is nothing to be seen yet, as of a prior's embedding.
    }
    last = clock.now
  }

  /// Makes a checkpoint.
  func save(_ pipeline: any Pipeline) throws {
    let state = try pipeline.state
    let notes = Notes(
      picture: picture, painting: try JSONDecoder().decode(JSONValue.self, from: state.notes))
    try run.save(notes, state.tensors)
  }
}
