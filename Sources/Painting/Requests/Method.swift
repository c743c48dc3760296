/// A way of making a picture from a text.
public enum Method: String, Sendable, Hashable, CaseIterable, Codable {
  /// Whichever makes the best picture with the networks at hand.
  case auto
  /// A VQGAN's latent is optimised until CLIP finds the picture fits the text.
  case vqganCLIP = "vqgan-clip"
  /// A spectrum is optimised in the same way.
  case fft
  /// Plain pixels are optimised in the same way.
  case pixels
  /// A transformer writes pictures as tokens; CLIP picks the best of several.
  case dalle

  /// The methods that paint: all but `auto`.
  public static let painting: [Method] = allCases.filter { $0 != .auto }

  /// The methods that optimise what a drawer draws until CLIP finds that it fits.
  public static let guided: [Method] = [.vqganCLIP, .fft, .pixels]

  /// What stands in for a parameter where this method wants something else than others do.
  func standard(_ name: String) -> JSONValue? {
    switch (self, name) {
    case (.fft, "learningRate"): .number(0.02)
    case (.pixels, "learningRate"): .number(0.03)
    default: nil
    }
  }
}
