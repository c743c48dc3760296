extension Request {
  /// The request with presets filled in where it is silent.
  ///
  /// Of two presets the later one counts, but their objectives and filters add up; one that is named
  /// again replaces the earlier one of its name. Fields that the method does not take are left out, so
  /// that one quality may serve all methods.
  /// - Parameter pack: chooses the method where neither says one.
  /// - Throws: `PresetError.idle`, `RequestError` or `PaintingError`.
  public func with(_ presets: [Preset], pack: Pack) throws -> Request {
    guard !presets.isEmpty else { return self }
    let isLarge = try hasLargeCLIP(presets)
    let wishes = presets.map { $0.wishes(large: isLarge) }
    var request = self
    for preset in presets {
      if let template = try preset.prompt.map(PromptTemplate.init) {
        request.prompt = try template(request.prompt)
      }
    }
    var fields: [String: JSONValue] = [:]
    for wish in wishes { fields.merge(wish.fields, uniquingKeysWith: Self.joined) }

    // Method and size first: they decide what is possible.
    for name in ["method", "width", "height"] where request[name] == nil {
      if let value = fields[name] { try request.set(name, value) }
    }
    let method = try pack.method(for: request)
    for (preset, wish) in zip(presets, wishes) {
      let says = wish.fields.keys.contains { $0 != "method" && method.takes($0) }
      guard
        says || wish.scale != nil || preset.prompt != nil
          || wish.fields["method"] == .string(method.rawValue)
      else { throw PresetError.idle(preset.name, method: method) }
    }
    for (name, value) in fields where method.takes(name) {
      guard let given = self[name] else {
        try request.set(name, value)
        continue
      }
      if case .parts = Self.parameter(name)?.kind {
        try request.set(name, Self.joined(value, given))
      }
    }
    request.method = method
    if width == nil, height == nil, let scale = wishes.compactMap(\.scale).last {
      for name in ["width", "height"] {
        let standard = try pack.standard(name, of: method)
        guard case .integer(let side) = request[name] ?? standard else { continue }
        try request.set(name, .integer(min(4096, max(16, Int((Double(side) * scale).rounded())))))
      }
    }
    return request
  }

  /// Whether it, or else one of the presets, names CLIPs beside the pack's own.
  public func hasLargeCLIP(_ presets: [Preset]) throws -> Bool {
    let named = presets.compactMap { $0.wishes.fields["clip"]?.text }.last
    return try (clip ?? named).map {
      try Perceptor.Choice.parse($0) != Perceptor.Choice.standard
    } ?? false
  }

  /// Two values of one field: the later, but parts of other names stay.
  private static func joined(_ earlier: JSONValue, _ later: JSONValue) -> JSONValue {
    guard case .array(let before) = earlier, case .array(let now) = later else { return later }
    func name(_ value: JSONValue) -> JSONValue? {
      if case .object(let fields) = value { fields["name"] } else { nil }
    }
    let names = now.map(name)
    guard !names.contains(nil), !before.map(name).contains(nil) else { return later }
    return .array(before.filter { !names.contains(name($0)) } + now)
  }
}

extension Preset {
  /// What it asks for, with or without CLIPs that are named.
  func wishes(large isLarge: Bool) -> Wishes {
    guard isLarge else { return wishes }
    return Wishes(
      fields: wishes.fields.merging(large.fields) { $1 }, scale: large.scale ?? wishes.scale)
  }
}

extension Method {
  /// Whether it takes a parameter, or has an argument, of this name.
  func takes(_ name: String) -> Bool {
    Request.parameter(name)?.belongs(to: self) ?? (drawer?.argument(name) != nil)
  }
}
