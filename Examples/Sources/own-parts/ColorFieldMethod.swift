import Painting
import Torch

extension Method {
  /// The method that paints with `ColorField`, of an installed model.
  static let colorField = Method(
    "color-field", title: "Colour field", "A network finds the colours of a text",
    components: [
      .init("generator", ColorField.architecture.id, title: "colour field", takesPacks: false)
    ],
    takes: [.model]
  ) { context in
    let network = try context.networks.network(
      ColorField.self, in: context.method.components[0], of: context.request.model)
    let perceptor = try context.networks.perceptors(context.request)[0]
    return FeedForward(context) {
      network(perceptor.embedding(of: context.request.prompt))
        .resampled(context.size.height, context.size.width, .bicubic).clamped(0, 1)
    }
  }
}
