import Torch

/// Which views of the picture CLIP is shown.
public enum CutoutMode: String, Sendable, Hashable, CaseIterable, Codable {
  /// Half of the views show the whole picture, half a random square of it; every view is one reading
  /// of the picture, beyond whose edge the edge goes on.
  case balanced
  /// The whole picture, pooled (nerdyrodent's VQGAN-CLIP).
  case latest
  /// The whole picture, interpolated linearly (deep-daze with `do_cutout=False`).
  case whole
  /// Random squares as they are (nerdyrodent's first).
  case original
  /// Random squares, mirrored, turned and blurred (nerdyrodent's second).
  case updated
  /// Random squares with any augmentations (nerdyrodent).
  case nrupdated
  /// The whole picture, pooled, with fixed augmentations (nerdyrodent).
  case updatedpooling
  /// Crowson's VQGAN+CLIP notebook, where `original` comes from.
  case notebook
  /// Three fifths of the views look at a part, two fifths at the whole with a margin (pixray).
  case pixray
  /// Large squares, as they are (lucidrains' big-sleep).
  case bigSleep = "big-sleep"
  /// Squares of all sizes, as they are (lucidrains' deep-daze).
  case deepDaze = "deep-daze"
  /// The whole picture on a black square, and random squares of it, by shares that change on the way
  /// (Disco Diffusion's `MakeCutoutsDango`).
  case dango

  /// What is done to its views unless something else is asked for, in this order.
  public var augmentations: [Augmentation] {
    switch self {
    case .balanced, .latest, .nrupdated, .updatedpooling:
      [.affine, .perspective, .jitter, .erasing, .noise]
    case .updated:
      [
        Augmentation(.flip), .jitter, Augmentation(.sharpness), .affine, .perspective, .noise,
      ]
    case .pixray: [.jitter, .noise]
    case .dango:
      [
        Augmentation(.flip), .noise, .affine, .noise, Augmentation(.grayscale), .noise, .jitter,
      ]
    case .whole, .original, .notebook, .bigSleep, .deepDaze: []
    }
  }

  /// What it is, in one sentence without the final stop.
  public var help: String {
    switch self {
    case .balanced: "Half of the views show the whole picture, half a random square of it"
    case .latest: "The whole picture, pooled (nerdyrodent's VQGAN-CLIP)"
    case .whole: "The whole picture, interpolated (Deep Daze without cutouts)"
    case .original: "Random squares as they are (nerdyrodent's first)"
    case .updated: "Random squares, mirrored, turned and blurred (nerdyrodent's second)"
    case .nrupdated: "Random squares with any augmentations (nerdyrodent)"
    case .updatedpooling: "The whole picture, pooled, with fixed augmentations (nerdyrodent)"
    case .notebook: "Random squares as they are (Crowson's VQGAN+CLIP notebook)"
    case .pixray: "Three fifths look at a part, two fifths at the whole with a margin (pixray)"
    case .bigSleep: "Large squares, as they are (Big Sleep)"
    case .deepDaze: "Squares of all sizes, as they are (Deep Daze)"
    case .dango:
      "Wholes on black and squares, by shares that change on the way (Disco Diffusion)"
    }
  }

  /// How far augmentations go in it.
  var amounts: AugmentationAmounts {
    var amounts = AugmentationAmounts()
    switch self {
    case .balanced:
      amounts.distortion = 0.5
      amounts.outside = .border
    case .updated:
      amounts.jitter = ColorJitter(saturation: 0.01, hue: 0.01, probability: 0.7)
      amounts.sharpnessShare = 0.4
      (amounts.degrees, amounts.shear, amounts.affineShare) = (30, 0, 0.8)
      (amounts.distortion, amounts.perspectiveShare) = (0.2, 0.4)
      amounts.outside = .border
    case .nrupdated: (amounts.degrees, amounts.distortion) = (30, 0.5)
    case .updatedpooling:
      amounts.jitter = ColorJitter(saturation: 0.1, hue: 0.1, probability: 0.7)
      amounts.shear = 0
      amounts.outside = .border
    case .pixray: amounts.jitter = ColorJitter(saturation: 0.1, hue: 0.1, probability: 0.8)
    case .dango: (amounts.distortion, amounts.perspectiveShare) = (0.4, 0.7)
    case .latest, .whole, .original, .notebook, .bigSleep, .deepDaze: break
    }
    return amounts
  }
}

/// How far augmentations go at strength 1, and which share of the views they change: the values of
/// nerdyrodent's `latest` where nothing else is said.
struct AugmentationAmounts {
  var jitter = ColorJitter(strength: 0.1, probability: 0.7)
  /// Angle in degrees, to both sides.
  var degrees = 15.0
  /// Shift as a share of the side, to both sides.
  var shift = 0.1
  /// Shear in degrees, to both sides.
  var shear = 5.0
  var affineShare = 0.7
  /// What an affine map reads outside the view.
  var outside = Tensor.Outside.zeros
  /// How far a corner goes inwards, as a share of half the side.
  var distortion = 0.7
  var perspectiveShare = 0.7
  var sharpness = 0.3
  var sharpnessShare = 0.5
  var rotation = 15.0
  var rotationShare = 0.7
  var elasticShare = 0.7
  /// How far a point of the thin plate goes, of a picture from -1 to 1.
  var plate = 0.8
  var plateShare = 0.7
  var erasingShare = 0.7
  var resizedShare = 0.5
  /// Smallest area that is enlarged.
  var resizedArea = 0.1
  var flipShare = 0.5
  var grayShare = 0.1
  var gaussianShare = 0.5
  var noise = 0.1
}
