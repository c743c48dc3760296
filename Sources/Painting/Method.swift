/// A way of making a picture from a text.
public enum Method: String, Sendable, Hashable, CaseIterable, Codable {
  /// Whichever makes the best picture with the networks at hand.
  case auto
  /// A VQGAN's latent is optimised until CLIP finds the picture fits the text.
  case vqganCLIP = "vqgan-clip"
  /// A transformer writes pictures as tokens; CLIP picks the best of several.
  case dalle

  /// The methods that paint: all but `auto`.
  public static let painting: [Method] = allCases.filter { $0 != .auto }
}
