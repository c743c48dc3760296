/// A way of making a picture from a text, by its name.
///
/// The methods under CLIP's guidance are the drawers that `Parts` knows, so that there may be more than
/// the program brings.
public struct Method: RawRepresentable, Sendable, Hashable, CaseIterable, Codable {
  /// The name, `vqgan-clip` for instance.
  public let rawValue: String

  /// The method of this name; nil when there is none.
  public init?(rawValue: String) {
    let method = Method(known: rawValue)
    guard Self.allCases.contains(method) else { return nil }
    self = method
  }

  private init(known: String) { rawValue = known }

  /// Whichever makes the best picture with the networks at hand.
  public static let auto = Method(known: "auto")
  /// A transformer writes pictures as tokens; CLIP picks the best of several.
  public static let dalle = Method(known: "dalle")
  /// A VQGAN's latent is optimised until CLIP finds the picture fits the text.
  public static let vqganCLIP = Method(known: "vqgan-clip")
  /// A diffusion model goes from noise to a picture.
  public static let diffusion = Method(known: "diffusion")
  /// BigGAN's latents and classes are optimised.
  public static let bigSleep = Method(known: "big-sleep")

  /// The methods that optimise what a drawer draws until CLIP finds that it fits.
  public static var guided: [Method] { Parts.drawers.map { Method(known: $0.id) } }

  /// The methods that paint: all but `auto`.
  public static var painting: [Method] { guided + [.dalle] }

  /// Every method.
  public static var allCases: [Method] { [.auto] + painting }

  /// The drawer behind it; nil when it is not under CLIP's guidance.
  public var drawer: DrawerKind? { Parts.drawer(rawValue) }

  /// What it is, in one sentence without the final stop.
  public var help: String {
    switch self {
    case .auto: "Whichever makes the best picture with the networks at hand"
    case .dalle:
      "A transformer writes pictures as tokens, and CLIP picks the best (DALL·E mini, Dayma and "
        + "others, 2021)"
    default: drawer?.help ?? rawValue
    }
  }
}
