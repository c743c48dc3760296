/// What painting begins from where there is no picture.
public enum StartPicture: String, Sendable, Hashable, CaseIterable, Codable {
  /// The drawer's own way: random codes, grey, random strokes.
  case none
  /// Every pixel of a random colour.
  case pixels
  /// A gradient from corner to corner in random colours.
  case gradient
  /// Fractal noise of Perlin, as pixray begins.
  case perlin
  /// Noise of five octaves, as the MSE-regularised notebook begins.
  case octaves
}
