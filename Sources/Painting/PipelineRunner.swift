import Foundation
import Imaging
import Synchronization
import Torch

/// Where the pictures of one request are painted: what they have in common, and the loop that drives a
/// pipeline.
struct PipelineRunner {
  let method: Method
  let registry: Registry
  let networks: Networks
  /// The size at which it is painted.
  let size: Metadata.Size
  let options: Engine.Options
  let control: StepControl
  let emit: @Sendable (Event) -> Void

  /// A painting of a resolved request.
  /// - Parameter initial: what it begins from, `[1, 3, H, W]` in 0…1, instead of what the request says.
  func pipeline(_ request: Request, initial: Tensor? = nil) throws -> any Pipeline {
    try method.make(
      PipelineContext(
        request: request, method: method, registry: registry, networks: networks, size: size,
        initial: (initial ?? initialPicture(request))?.to(networks.device), files: options.files,
        traces: options.traces,
        preparing: { emit(.preparing($0)) }))
  }

  /// What a request begins from, `[1, 3, H, W]` in 0…1; nil for the method's own way.
  private func initialPicture(_ request: Request) throws -> Tensor? {
    guard let reference = request.initImage else {
      let stream = RandomStream(seed: UInt64(request.seed ?? 0), "first picture")
      return request.initNoise?.tensor(width: size.width, height: size.height, from: stream)
    }
    let given = try Picture.read(from: options.files.url(reference).path)
    let area = try PaintedArea.of(request, method, networks.pack, options.files)
    return try given.fitted(by: request.initFit ?? .crop, area, size.width, size.height).tensor()
  }

  /// Paints to the end, or until it is stopped, but takes at least one step.
  /// - Parameters:
  ///   - picture: which of the run's it is.
  ///   - recorder: told of each step.
  ///   - before: called before each step, and at the end.
  func paint(
    _ pipeline: any Pipeline, picture: Int, recorder: TraceRecorder? = nil,
    before: (any Pipeline) throws -> Void = { _ in }
  ) throws {
    let checkpointer = Checkpointer(options, picture: picture)
    try checkpointer?.restore(pipeline)
    let first = pipeline.done
    // A step that takes long tells of its parts itself.
    var told = first
    var control = control.telling { progress in
      told = progress.step
      emit(.step(progress))
    }
    control.codesEvery = options.codesEvery
    control.show = { [emit] in emit(.preview($0)) }
    while !pipeline.isDone, !control.isStopped() || pipeline.done == first {
      try before(pipeline)
      let loss = try pipeline.step(control)
      if pipeline.done > told {
        told = pipeline.done
        emit(.step(.init(step: told, total: pipeline.total, unit: pipeline.unit, loss: loss)))
      }
      if let every = options.previewEvery {
        for preview in try pipeline.previews(every: every) { emit(.preview(preview)) }
      }
      try recorder?.note(pipeline, loss: loss)
      try checkpointer?.note(pipeline, loss: loss)
    }
    try checkpointer?.save(pipeline)
    if pipeline.isDone { try before(pipeline) }
  }
}

/// Whether painting is to stop; may be set and asked on any thread.
final class StopFlag: Sendable {
  private let flag = Atomic(false)
  var isSet: Bool { flag.load(ordering: .relaxed) }
  func set() { flag.store(true, ordering: .relaxed) }
}

extension Picture {
  /// The picture, or that part of it, at another size, in the way that is asked for.
  func fitted(by fit: Request.Fit, _ area: PaintedArea?, _ width: Int, _ height: Int) throws
    -> Picture
  {
    guard let area else { return try fitted(by: fit, width, height) }
    return try area.cut(fitted(by: fit, area.whole.width, area.whole.height))
      .fitted(by: .stretch, width, height)
  }

  /// The picture at another size, in the way that is asked for.
  func fitted(by fit: Request.Fit, _ width: Int, _ height: Int) throws -> Picture {
    switch fit {
    case .crop: try filled(width: width, height: height)
    case .pad: try fitted(width: width, height: height)
    case .stretch: try resized(width: width, height: height, filter: .lanczos3)
    }
  }
}
