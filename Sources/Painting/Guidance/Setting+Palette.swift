import Imaging
import Torch

extension Setting {
  /// The colours of an argument in palette syntax, `[K, 3]` in 0…1; nil when it was not given. A file in
  /// it (`@file`) is the one of the argument `file`.
  func palette(_ name: String) throws -> Tensor? {
    guard let text = text(name) ?? file("file").map({ _ in "@file" }) else { return nil }
    let colors = try Palette.parse(text) { _ in
      guard let url = file("file") else {
        throw RequestError.badValue(
          field: name,
          reason: "names a file; say which with file=PICTURE, and @file where it belongs")
      }
      return url
    }
    guard !colors.isEmpty else {
      throw RequestError.badValue(
        field: name, reason: "names no colour. Give some, as in [red,#0044ff]")
    }
    return table(colors)
  }

  /// The colour of an argument, `[1, 3, 1, 1]` in 0…1; white when it was not given.
  func color(_ name: String) throws -> Tensor {
    table([try text(name).map(Color.init(parsing:)) ?? .white]).reshaped(1, 3, 1, 1)
  }

  private func table(_ colors: [Color]) -> Tensor {
    let values = colors.flatMap { [$0.red, $0.green, $0.blue].map { Float($0) / 255 } }
    return Tensor(values, [colors.count, 3]).to(device)
  }

}
