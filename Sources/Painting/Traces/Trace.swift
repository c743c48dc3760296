import Foundation
import Imaging
import Torch

/// How a picture came about: what was seen while it was painted, small enough to be kept beside it.
public struct Trace: Codable, Sendable, Hashable {
  /// One of the things that were seen: pictures in a row, or a curve.
  public struct Panel: Codable, Sendable, Hashable {
    /// What it shows, in a few words.
    public let title: String
    /// How to read it, in a sentence.
    public let text: String
    /// Whether its pictures follow one another in time, and may be played.
    public var isSequence = false
    /// The pictures, with what stands below each.
    public var looks: [Look] = []
    /// A number over the steps.
    public var curve: Curve?
  }

  /// A small picture.
  public struct Look: Codable, Sendable, Hashable {
    /// What stands below it.
    public let caption: String
    /// The picture as a WebP file.
    public let webp: Data

    /// The longer side of what is kept, in pixels.
    static let side = 192

    /// A look at a picture, made small.
    init(_ picture: Picture, _ caption: String, side: Int = Look.side) throws {
      let longer = max(picture.width, picture.height)
      let scale = min(1, Double(side) / Double(longer))
      let small =
        scale == 1
        ? picture
        : try picture.resized(
          width: max(1, Int((Double(picture.width) * scale).rounded())),
          height: max(1, Int((Double(picture.height) * scale).rounded())))
      (self.caption, webp) = (caption, try small.encoded(as: .webp(quality: 80)))
    }

    /// A look at `[1, 3, H, W]` in 0…1.
    init(_ picture: Tensor, _ caption: String) throws {
      try self.init(Picture(picture.detached().clamped(0, 1)[0]), caption)
    }
  }

  /// A number over the steps, in as many points as can be told apart.
  public struct Curve: Codable, Sendable, Hashable {
    /// The step of the first point, counted from 1.
    public let first: Int
    /// The step of the last.
    public let last: Int
    /// Means over as many steps each.
    public let values: [Double]

    /// Points at most.
    static let points = 240

    /// - Parameter first: the step of the first value.
    init?(_ values: [Double], first: Int) {
      guard values.count > 1 else { return nil }
      let width = (values.count + Self.points - 1) / Self.points
      (self.first, last) = (first, first + values.count - 1)
      self.values = stride(from: 0, to: values.count, by: width).map { start in
        let part = values[start..<min(start + width, values.count)]
        return part.reduce(0, +) / Double(part.count)
      }
    }
  }

  /// What was seen, in the order in which it explains the picture.
  public let panels: [Panel]

  /// Bytes of JSON that are kept of one at most: those of all panels that there are today stay far below.
  public static let limit = 2_000_000
}
