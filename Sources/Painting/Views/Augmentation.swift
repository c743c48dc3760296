import Foundation

/// Something done to the views of a picture before CLIP sees them, so that it judges the picture and
/// not one exact arrangement of pixels: a kind, and how strongly.
///
/// As text it is the kind's word or its two letters (nerdyrodent's `-aug`), then the strength if it is
/// not 1: `affine`, `Af`, `affine:0.5`.
public struct Augmentation: Sendable, Hashable, Codable, RawRepresentable {
  /// What is done. The meanings are kornia's (0.5.4), which nerdyrodent's VQGAN-CLIP builds on.
  public enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
    /// Turned, shifted and sheared a little.
    case affine
    /// Seen from the side.
    case perspective
    /// Brightness, contrast, saturation and hue changed.
    case jitter
    /// A rectangle blacked out, the same in all views.
    case erasing
    /// Noise added, in every view of another strength.
    case noise
    /// Blurred a little: a strength of 3 1/3 would leave the sharpest view as it is.
    case sharpness
    /// Strong noise added to some views.
    case gaussianNoise = "gaussian-noise"
    /// Turned.
    case rotation
    /// Distorted like something elastic.
    case elastic
    /// Bent like a thin plate that is held at five points.
    case thinPlate = "thin-plate"
    /// Cut to the size that views already have: nothing happens, as in VQGAN-CLIP.
    case crop
    /// A part of the view enlarged.
    case resizedCrop = "resized-crop"
    /// Mirrored left to right.
    case flip
    /// Without colour.
    case grayscale

    /// The letters of nerdyrodent's `-aug`.
    public var code: String? {
      switch self {
      case .affine: "Af"
      case .perspective: "Pe"
      case .jitter: "Ji"
      case .erasing: "Er"
      case .sharpness: "Sh"
      case .gaussianNoise: "Gn"
      case .rotation: "Ro"
      case .elastic: "Et"
      case .thinPlate: "Ts"
      case .crop: "Cr"
      case .resizedCrop: "Re"
      case .flip: "Hf"
      case .noise, .grayscale: nil
      }
    }

    /// What it does, in one sentence without the final stop.
    public var help: String {
      switch self {
      case .affine: "Turned, shifted and sheared a little"
      case .perspective: "Seen from the side"
      case .jitter: "Brightness, contrast, saturation and hue changed"
      case .erasing: "A rectangle blacked out, the same in all views"
      case .noise: "Noise added, in every view of another strength"
      case .sharpness: "Blurred a little"
      case .gaussianNoise: "Strong noise added to some views"
      case .rotation: "Turned"
      case .elastic: "Distorted like something elastic"
      case .thinPlate: "Bent like a thin plate that is held at five points"
      case .crop: "Cut to the size that views already have: nothing, as in VQGAN-CLIP"
      case .resizedCrop: "A part of the view enlarged"
      case .flip: "Mirrored left to right"
      case .grayscale: "Without colour"
      }
    }

    init?(word: some StringProtocol) {
      let word = word.lowercased()
      let kind = Self.allCases.first { $0.rawValue == word || $0.code?.lowercased() == word }
      guard let kind else { return nil }
      self = kind
    }
  }

  /// What is done.
  public let kind: Kind
  /// Multiplies how far it goes; the standard is 1. Chances that have no extent (mirroring, removing
  /// colour) are multiplied instead.
  public let strength: Double

  /// The strengths that make sense.
  public static let strengths = 0.0...10.0

  /// - Parameters:
  ///   - kind: what is done.
  ///   - strength: how strongly, within `strengths`.
  public init(_ kind: Kind, strength: Double = 1) {
    self.kind = kind
    self.strength = strength
  }

  /// From text: `affine`, `Af`, `affine:0.5`.
  public init?(rawValue: String) {
    let parts = rawValue.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let kind = Kind(word: parts[0]) else { return nil }
    var strength = 1.0
    if parts.count == 2 {
      guard let number = Double(parts[1]), Self.strengths.contains(number) else { return nil }
      strength = number
    }
    self.init(kind, strength: strength)
  }

  /// As text: `affine`, `affine:0.5`.
  public var rawValue: String { strength == 1 ? kind.rawValue : "\(kind.rawValue):\(strength)" }

  /// Turned, shifted and sheared a little.
  public static let affine = Augmentation(.affine)
  /// Seen from the side.
  public static let perspective = Augmentation(.perspective)
  /// Brightness, contrast, saturation and hue changed.
  public static let jitter = Augmentation(.jitter)
  /// A rectangle blacked out.
  public static let erasing = Augmentation(.erasing)
  /// Noise added.
  public static let noise = Augmentation(.noise)
}

/// Every kind at its standard strength.
extension Augmentation: CaseIterable {
  /// Every kind at its standard strength.
  public static var allCases: [Augmentation] { Kind.allCases.map { Augmentation($0) } }
}

extension Augmentation {
  /// Every augmentation's name.
  public static var words: [String] { allCases.map(\.rawValue) }
}
