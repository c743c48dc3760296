import Models

extension CLIP.Config {
  /// The name of OpenAI's network that this is, `ViT-B/32` for instance; nil for all others. Others trained
  /// networks of the same sizes, mostly with another activation.
  /// - Parameter id: what it is installed as, which tells those of LAION with the same activation.
  func openAIName(id: String) -> String? {
    guard quickGELU, !["laion", "datacomp"].contains(where: id.lowercased().contains) else {
      return nil
    }
    return publishedName
  }
}

/// Letters and digits of a name, small: `ViT-B/32` and `vit_b_32` are one.
func plainName(_ name: some StringProtocol) -> String {
  name.lowercased().filter { $0.isLetter || $0.isNumber }
}
