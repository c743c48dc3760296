import Painting
import Torch

extension Method {
  /// A feed-forward method: one step from the seed to the picture, and no network.
  static let clouds = Method(
    "clouds", title: "Clouds", "Soft colours by chance, whatever the text says",
    arguments: [.integer("grain", 2...64, default: 6, "Patches of colour on a side")], takes: []
  ) { context in
    let grain = try context.arguments().integer("grain")
    return FeedForward(context) {
      RandomStream(seed: context.seed, "clouds").uniform([1, 3, grain, grain])
        .resampled(context.size.height, context.size.width, .bicubic).clamped(0, 1)
    }
  }
}
