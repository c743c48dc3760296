import Imaging
import Torch

/// What the objectives are shown in one iteration.
public struct Observation {
  /// What one perceptor sees.
  public struct Views {
    /// The views, `[B, 3, S, S]` in about 0…1, before the perceptor's own normalisation.
    public let cutouts: Tensor
    /// Their embeddings, `[B, E]`, not normalised.
    public let embeddings: Tensor
    /// The same views of another picture of this size `[1, 3, H, W]`: their embeddings `[B, E]`.
    public internal(set) var embeddingsOfOther: ((Tensor) -> Tensor)?
    /// The same views of another picture `[1, C, H, W]`, `[B, C, S, S]`.
    public internal(set) var viewsOfOther: ((Tensor) -> Tensor)?
    /// Embeddings of the same views with all but the spot blacked out.
    public internal(set) var inside: Tensor?
    /// Embeddings of the same views with the spot blacked out.
    public internal(set) var outside: Tensor?

    /// Views; see the fields.
    public init(cutouts: Tensor, embeddings: Tensor) {
      self.cutouts = cutouts
      self.embeddings = embeddings
    }
  }

  /// The picture after filters, `[1, 3, H, W]` in 0…1, with history.
  public let picture: Tensor
  /// The picture as it was drawn, before its colours are limited to 0…1 and before filters, `[1, 3, H, W]`
  /// with history.
  public let drawn: Tensor
  /// The drawer's latent, with history; nil when it has none.
  public let latent: Tensor?
  /// The latent that the drawer would have for another picture `[1, 3, H, W]` in 0…1; nil where it has none.
  var latentOf: ((Tensor) -> Tensor?)?
  /// What each perceptor sees, in the order of the perceptors.
  public let views: [Views]
  /// Counted from 0.
  public let iteration: Int
  /// Iterations in all.
  public let total: Int

  /// An observation; see the fields.
  public init(
    picture: Tensor, drawn: Tensor? = nil, latent: Tensor? = nil,
    latentOf: ((Tensor) -> Tensor?)? = nil, views: [Views] = [],
    iteration: Int = 0, total: Int = 1
  ) {
    self.picture = picture
    self.drawn = drawn ?? picture
    self.latentOf = latentOf
    self.latent = latent
    self.views = views
    self.iteration = iteration
    self.total = total
  }
}

/// A picture of which a part is to stay as it is.
struct Kept {
  /// `[1, 3, H, W]` in 0…1.
  let picture: Tensor
  /// 1 where it may change, 0 where it stays, `[1, 1, H, W]`.
  let open: Tensor

  /// Another picture of this size with what stays in it.
  func laid(over picture: Tensor) -> Tensor {
    let (own, open) = (self.picture.resampled(as: picture), self.open.resampled(as: picture))
    return picture * open + own * (1 - open)
  }
}

/// An objective, or a filter, that lets only a part of a picture change.
protocol Keeping {
  /// That picture; nil where all may change.
  var kept: Kept? { get }
}

/// Something that is wanted of a picture: a number that should become small.
public protocol Objective {
  /// The loss, without dimensions, with history to what was seen; nil when there is nothing to say
  /// in this iteration.
  func loss(_ observation: Observation) -> Tensor?
}

/// What a drawer draws, changed before anybody sees it.
public protocol Filter {
  /// The changed picture, `[1, 3, H', W']`, and a loss that the change adds.
  /// - Parameters:
  ///   - picture: `[1, 3, H, W]` in 0…1, with history.
  ///   - iteration: of the optimisation; nil for a picture to look at, without chance.
  func callAsFunction(_ picture: Tensor, iteration: Int?) -> (picture: Tensor, loss: Tensor?)
}

/// A filter with a last word once the picture has the size that was asked for.
public protocol FinishingFilter: Filter {
  /// The picture as it leaves.
  func finish(_ picture: Picture) throws -> Picture
}

extension Observation {
  /// The sets of cutouts that there are, `[B, 3, S, S]`, one that several perceptors share counted
  /// once; the picture where no perceptor looks.
  var cutoutSets: [Tensor] {
    var sets: [Tensor] = []
    for view in views where !sets.contains(where: { $0 === view.cutouts }) {
      sets.append(view.cutouts)
    }
    return sets.isEmpty ? [picture] : sets
  }
}

extension Tensor {
  /// `[B, C, H, W]` to `[B H W, C]`: a row for every pixel.
  var pixelRows: Tensor { permuted(0, 2, 3, 1).reshaped(-1, size(1)) }

  /// A picture `[1, C, h, w]` at the size of another.
  func resampled(as other: Tensor) -> Tensor {
    let (height, width) = (other.size(2), other.size(3))
    guard size(2) != height || size(3) != width else { return self }
    return resampled(height, width, .bilinear, antialias: true)
  }
}

/// Adds losses up.
func total(_ losses: [Tensor]) -> Tensor? {
  losses.first.map { losses.dropFirst().reduce($0, +) }
}
