import Foundation
import Imaging
import Torch

/// A painting in the making. Optimisation under guidance, sampling of tokens, diffusion and cascades of
/// stages are pipelines; `Engine` drives them and knows none of them.
///
/// All chance derives from the seed and the number of the step, and `state` holds all the rest: a painting
/// may be left after any step and taken up again to the bit.
public protocol Pipeline: AnyObject {
  /// Steps in all.
  var total: Int { get }
  /// Steps done.
  var done: Int { get }
  /// What a step is, in the singular: `iteration`, `token`.
  var unit: String { get }
  /// Whether there is nothing more to do.
  var isDone: Bool { get }

  /// Goes on by a step, or by as many as are taken together.
  /// - Returns: the loss, where there is one.
  func step(_ control: StepControl) throws -> Double?

  /// Pictures on the way that the last step gave, of every `every`-th step or candidate.
  func previews(every: Int) throws -> [Event.Preview]

  /// The picture as it is now, `[1, 3, H, W]` in 0…1.
  func current() throws -> Tensor

  /// What it can show of how the picture came about, besides the picture on the way and the loss.
  func panels() throws -> [Trace.Panel]

  /// The pictures, best first; asked for after the last step, or when painting was stopped.
  /// - Throws: `PaintingError.stoppedEarly` when there is none yet.
  func finished() throws -> [FinishedPicture]

  /// Where it stands.
  var state: PipelineState { get throws }

  /// Goes to where `state` was taken.
  /// - Parameter tensor: gives a tensor of the state; nil when there is none of that name.
  /// - Throws: `PaintingError.badCheckpoint` when it was of another painting.
  func restore(_ notes: Data, _ tensor: (String) throws -> Tensor?) throws
}

extension Pipeline {
  /// The picture as it is now, after every `every`-th step but the last.
  public func previews(every: Int) throws -> [Event.Preview] {
    guard done % every == 0, !isDone else { return [] }
    return [.init(picture: try Picture(current()[0]), step: done, score: nil)]
  }

  /// Nothing.
  public func panels() throws -> [Trace.Panel] { [] }
}

/// A painting whose picture follows from parameters, so that others lie between it and another's: what films
/// go through.
protocol BetweenPictures: Pipeline {
  /// What the picture follows from.
  func parameters() -> [Tensor]
  /// A picture on the way from some parameters to others, `[1, 3, H, W]` in 0…1.
  /// - Parameter share: 0 is the picture of `from`, 1 that of `to`.
  func picture(between from: [Tensor], _ to: [Tensor], share: Double) -> Tensor
}

/// What a step may ask, and tell, while it goes on.
public struct StepControl {
  /// Whether painting is to stop; may be asked on any thread.
  public let isStopped: @Sendable () -> Bool
  /// Told of steps that are done within one that takes long.
  public let report: (Event.Progress) -> Void
  /// Codes of a candidate between pictures of it on the way; nil for none.
  public var codesEvery: Int?
  /// Told of pictures on the way within a step that takes long, on any thread.
  public var show: @Sendable (Event.Preview) -> Void = { _ in }

  /// The same, telling `report` instead.
  func telling(_ report: @escaping (Event.Progress) -> Void) -> StepControl {
    StepControl(isStopped: isStopped, report: report, codesEvery: codesEvery, show: show)
  }

  /// Never stops, and tells nobody.
  public static var none: StepControl { .init(isStopped: { false }, report: { _ in }) }
}

/// Where a painting stands.
public struct PipelineState {
  /// What is no tensor, as JSON.
  public let notes: Data
  /// The rest.
  public let tensors: [String: Tensor]

  /// A state of these parts.
  public init(notes: some Encodable, tensors: [String: Tensor]) throws {
    self.notes = try JSONEncoder().encode(notes)
    self.tensors = tensors
  }
}

/// A picture that a pipeline has finished.
public struct FinishedPicture {
  /// `[1, 3, H, W]`, or with straight alpha `[1, 4, H, W]`, in 0…1.
  public let picture: Tensor
  /// The request that paints exactly this picture.
  public var request: Request
  /// CLIP's cosine similarity to the prompt, where it was measured.
  public var score: Double?
  /// The picture as SVG, where it consists of shapes.
  public var svg: String?
  /// A sheet that shows which word painted where, where one is wanted.
  public var attention: Picture?
  /// What can be shown of how this picture came about.
  public var panels: () throws -> [Trace.Panel] = { [] }
  /// What is done to it once it has the size that was asked for.
  public var finish: (Picture) throws -> Picture = { $0 }

  /// A picture; see the fields.
  public init(_ picture: Tensor, _ request: Request) {
    self.picture = picture
    self.request = request
  }
}

/// A painting that is made in one step: of a network that needs to be asked only once.
public final class FeedForward: Pipeline {
  private let request: Request
  private let make: () throws -> Tensor
  private var pictures: Tensor?

  /// - Parameter make: the pictures, best first, `[N, 3, H, W]` in 0…1.
  public init(_ context: PipelineContext, _ make: @escaping () throws -> Tensor) {
    request = context.request
    self.make = make
  }

  /// One.
  public var total: Int { 1 }
  /// Whether it is done, as a number.
  public var done: Int { pictures == nil ? 0 : 1 }
  /// The step is the picture.
  public var unit: String { "picture" }
  /// Whether there is a picture.
  public var isDone: Bool { pictures != nil }

  /// Makes the pictures.
  public func step(_ control: StepControl) throws -> Double? {
    pictures = try noGrad { try make() }
    return nil
  }

  /// The best picture.
  public func current() throws -> Tensor {
    guard let pictures else { throw PaintingError.stoppedEarly }
    return pictures[0..<1]
  }

  /// The pictures, best first.
  public func finished() throws -> [FinishedPicture] {
    guard let pictures else { throw PaintingError.stoppedEarly }
    return (0..<pictures.size(0)).map { FinishedPicture(pictures[$0..<$0 + 1], request) }
  }

  /// Nothing: the step is taken again.
  public var state: PipelineState {
    get throws { try PipelineState(notes: [String: Int](), tensors: [:]) }
  }

  /// Begins anew.
  public func restore(_ notes: Data, _ tensor: (String) throws -> Tensor?) throws { pictures = nil }
}

/// What a method makes a pipeline of.
public struct PipelineContext {
  /// What is painted, resolved.
  public let request: Request
  /// How.
  public let method: Method
  /// What may be named.
  public let registry: Registry
  /// The networks, loaded when first asked for.
  public let networks: Networks
  /// The size at which it is painted.
  public let size: Metadata.Size
  /// A picture to begin from at that size, `[1, 3, H, W]` in 0…1; nil for the method's own way.
  public let initial: Tensor?
  /// The files that the request names.
  public let files: Attachments
  /// Whether it is recorded how the picture comes about.
  public var traces = false
  /// Told how far work is that comes before the first step.
  public var preparing: (Event.Progress) -> Void = { _ in }

  /// From which all random numbers derive.
  public var seed: UInt64 { UInt64(request.seed ?? 0) }
  /// Where it computes.
  public var device: Device { networks.device }

  /// Where a part with these arguments is made.
  /// - Parameter name: of the part, for messages.
  public func part(
    _ name: String, _ declared: [PartArgument], _ given: [String: JSONValue]
  ) throws -> PartContext {
    let arguments = declared.filled(given)
    for value in arguments.values {
      if let reference = FileReference(json: value) { _ = try files.url(reference) }
    }
    return PartContext(name, declared, arguments, painting: self)
  }

  /// The method's own arguments.
  public func arguments() throws -> PartContext {
    let own = request.arguments.filter { method.argument($0.key) != nil }
    return try part(method.id.rawValue, method.arguments, own)
  }
}
