import Imaging
import Torch

/// Records how a picture comes about, while it is painted. Nothing is computed for it that the painting does not
/// need, but for a few looks at the picture on the way.
final class TraceRecorder {
  private var losses: [Double] = []
  private var looks: [Trace.Look] = []
  /// The first step that was recorded, counted from 1: a later one where a painting was taken up again.
  private var first: Int?
  private var next = 0

  /// Shares of all steps after which the picture is looked at: most happens early.
  private static let moments = [0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75]

  /// Called after each step.
  func note(_ pipeline: any Pipeline, loss: Double?) throws {
    if first == nil { first = pipeline.done }
    if let loss { losses.append(loss) }
    // Of tokens and of pictures drawn at once what is seen on the way are the candidates.
    guard pipeline.unit == "iteration", next < Self.moments.count, !pipeline.isDone else { return }
    let share = Double(pipeline.done) / Double(max(1, pipeline.total))
    guard share >= Self.moments[next] else { return }
    do {
      looks.append(try Trace.Look(pipeline.current(), "\(pipeline.done)"))
      next = Self.moments.firstIndex { $0 > share } ?? Self.moments.count
    } catch PaintingError.stoppedEarly {
      // A prior has no picture yet.
    }
  }

  /// What is known of a picture that a pipeline has finished.
  func trace(of picture: FinishedPicture, by pipeline: any Pipeline) throws -> Trace {
    var panels: [Trace.Panel] = []
    if !looks.isEmpty {
      let last = try Trace.Look(Picture(painted: picture.picture[0]), "\(pipeline.done)")
      panels.append(
        .init(
          title: "On the way",
          text: "The picture after so many of \(pipeline.total) iterations.", isSequence: true,
          looks: looks + [last])
      )
    }
    panels += try picture.panels() + pipeline.panels()
    if let first, let curve = Trace.Curve(losses, first: first) {
      panels.append(
        .init(
          title: "Loss",
          text:
            "How far the picture was from what is wanted, iteration by iteration: lower is nearer.",
          curve: curve))
    }
    return Trace(panels: panels)
  }
}
