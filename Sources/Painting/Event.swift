import Imaging

/// What happens while a picture is painted, in this order: `started` once, then `preparing`, `step` and
/// `preview` in any order and number, then `image` for every picture, best first, `candidates` if they are
/// wanted, and `finished` once.
///
/// When painting is stopped (`Generation.stop`), the best so far still comes as `image`.
public enum Event: Sendable {
  /// Painting begins.
  case started(Started)
  /// Before the first step something is looked at that later pictures need not look at again.
  case preparing(Progress)
  /// One more step is done.
  case step(Progress)
  /// A picture on the way: the state of an optimisation, or one candidate.
  case preview(Preview)
  /// A finished picture.
  case image(Output)
  /// Everything that was sampled, best first.
  case candidates([Candidate])
  /// A frame of a film, which lies in the run's folder now.
  case frame(Frame)
  /// All is done.
  case finished(Summary)

  /// What will be painted.
  public struct Started: Sendable {
    /// The request with every field filled.
    public let request: Request
    /// Width in pixels at which the networks paint.
    public let paintedWidth: Int
    /// Height in pixels at which the networks paint.
    public let paintedHeight: Int
  }

  /// How far painting is.
  public struct Progress: Sendable {
    /// Steps done.
    public let step: Int
    /// Steps in all.
    public let total: Int
    /// What a step is, in the singular: `iteration`, `token`, `frame`.
    public let unit: String
    /// The loss of this step, where there is one.
    public let loss: Double?

    /// Progress; see the fields.
    public init(step: Int, total: Int, unit: String, loss: Double? = nil) {
      (self.step, self.total, self.unit, self.loss) = (step, total, unit, loss)
    }
  }

  /// A picture on the way.
  public struct Preview: Sendable {
    /// The picture at the size at which the networks paint.
    public let picture: Picture
    /// Steps done, or which candidate it is.
    public let step: Int
    /// CLIP's cosine similarity to the prompt, for candidates that are whole.
    public let score: Double?
    /// Codes that are written so far, of a candidate that is not whole.
    public var codes: Int?
  }

  /// One of the pictures of which the best are kept.
  public struct Candidate: Sendable {
    /// The picture at the size at which the networks paint.
    public let picture: Picture
    /// CLIP's cosine similarity to the prompt, where it was measured.
    public let score: Double?
  }

  /// A finished picture.
  public struct Output: Sendable {
    /// The picture at the size that was asked for.
    public let picture: Picture
    /// The request that paints exactly this picture, and how it was painted.
    public var metadata: Metadata
    /// CLIP's cosine similarity to the prompt, where it was measured.
    public let score: Double?
    /// The picture as SVG at the size at which it was painted, where the method draws shapes.
    public let svg: String?
    /// A sheet that shows which word painted where, where the request wants one.
    public let attention: Picture?
    /// How it came about, where that was asked for.
    public var trace: Trace?
  }

  /// A frame of a film.
  public struct Frame: Sendable {
    /// Counted from 1.
    public let number: Int
    /// Frames in all, where that is known.
    public let total: Int?
  }

  /// How painting ended.
  public struct Summary: Sendable {
    /// Whether it was stopped before its end.
    public let stopped: Bool
    /// Seconds from the start, loading included.
    public let seconds: Double
  }
}
