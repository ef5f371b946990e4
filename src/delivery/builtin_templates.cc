#include "delivery/builtin_templates.h"

namespace otpd::delivery {
namespace {

// What a locale says for every purpose.
struct Phrases {
  const char* locale;
  const char* voice_end;   // the code for the second and third time
  const char* email_link;  // left out when there is no link
  const char* email_end;
};

// What a locale says for one purpose.
struct Wording {
  const char* purpose;
  const char* locale;
  const char* sms;    // also for WhatsApp
  const char* voice;  // the code for the first time
  const char* subject;
  const char* email;  // the code comes below it
};

constexpr Phrases k_phrases[] = {
    {"en", "Once more: {code}. For the last time: {code}. Do not share it with anyone.",
     "Or open this link: {link}",
     "It expires in {minutes} min. Do not share it with anyone: we never ask for it.\n"
     "If this was not you, ignore this message."},
    {"de", "Noch einmal: {code}. Ein letztes Mal: {code}. Geben Sie ihn niemandem weiter.",
     "Oder öffnen Sie diesen Link: {link}",
     "Gültig für {minutes} Min. Geben Sie ihn niemandem weiter: Wir fragen nie danach.\n"
     "Wenn Sie das nicht waren, ignorieren Sie diese Nachricht."},
    {"fr", "Je répète : {code}. Une dernière fois : {code}. Ne le communiquez à personne.",
     "Ou ouvrez ce lien : {link}",
     "Valable {minutes} min. Ne le communiquez à personne : nous ne le demandons jamais.\n"
     "Si ce n'était pas vous, ignorez ce message."},
    {"es", "Repito: {code}. Por última vez: {code}. No lo compartas con nadie.",
     "O abre este enlace: {link}",
     "Caduca en {minutes} min. No lo compartas con nadie: nunca te lo pediremos.\n"
     "Si no has sido tú, ignora este mensaje."},
    {"pt", "Repetindo: {code}. Pela última vez: {code}. Não compartilhe com ninguém.",
     "Ou abra este link: {link}",
     "Expira em {minutes} min. Não compartilhe com ninguém: nunca pediremos esse código.\n"
     "Se não foi você, ignore esta mensagem."},
    {"it", "Ripeto: {code}. Per l'ultima volta: {code}. Non condividerlo con nessuno.",
     "Oppure apri questo link: {link}",
     "Scade tra {minutes} min. Non condividerlo con nessuno: non te lo chiederemo mai.\n"
     "Se non sei stato tu, ignora questo messaggio."},
};

constexpr Wording k_wordings[] = {
    {"login", "en",
     "{code} is your {brand} login code. It expires in {minutes} min. Do not share it with "
     "anyone.",
     "Hello, this is {brand}. Your login code is: {code}.", "Your {brand} login code",
     "Your {brand} login code is:"},
    {"login", "de",
     "{code} ist Ihr Anmeldecode für {brand}. Er gilt {minutes} Min. Geben Sie ihn niemandem "
     "weiter.",
     "Guten Tag, hier ist {brand}. Ihr Anmeldecode lautet: {code}.", "Ihr Anmeldecode für {brand}",
     "Ihr Anmeldecode für {brand} lautet:"},
    {"login", "fr",
     "{code} est votre code de connexion {brand}. Valable {minutes} min. Ne le communiquez à "
     "personne.",
     "Bonjour, ici {brand}. Votre code de connexion est : {code}.",
     "Votre code de connexion {brand}", "Votre code de connexion {brand} est :"},
    {"login", "es",
     "{code} es tu clave para entrar en {brand}. Caduca en {minutes} min. No la compartas con "
     "nadie.",
     "Hola, te llamamos de {brand}. Tu código de acceso es: {code}.",
     "Tu código de acceso a {brand}", "Tu código de acceso a {brand} es:"},
    {"login", "pt",
     "Use {code} para entrar em {brand}. Expira em {minutes} min. Nunca compartilhe com outra "
     "pessoa.",
     "Olá, aqui é {brand}. Seu código de acesso é: {code}.", "Seu código de acesso a {brand}",
     "Seu código de acesso a {brand} é:"},
    {"login", "it",
     "{code} è il tuo codice di accesso {brand}. Scade tra {minutes} min. Non condividerlo con "
     "nessuno.",
     "Buongiorno, qui {brand}. Il tuo codice di accesso è: {code}.",
     "Il tuo codice di accesso {brand}", "Il tuo codice di accesso {brand} è:"},
    {"transaction", "en",
     "{code} confirms {amount} {currency} to {payee} ({brand}). It expires in {minutes} min. "
     "Never share it.",
     "Hello, this is {brand}. You are confirming {amount} {currency} to {payee}. Your code is: "
     "{code}.",
     "Confirm your payment with {brand}",
     "You are confirming {amount} {currency} to {payee} with {brand}. Your code is:"},
    {"transaction", "de",
     "{code} bestätigt {amount} {currency} an {payee} ({brand}). Gilt {minutes} Min. Nie "
     "weitergeben.",
     "Guten Tag, hier ist {brand}. Sie bestätigen {amount} {currency} an {payee}. Ihr Code "
     "lautet: {code}.",
     "Bestätigen Sie Ihre Zahlung bei {brand}",
     "Sie bestätigen {amount} {currency} an {payee} bei {brand}. Ihr Code lautet:"},
    {"transaction", "fr",
     "{code} confirme {amount} {currency} à {payee} ({brand}). Valable {minutes} min. Ne le "
     "partagez jamais.",
     "Bonjour, ici {brand}. Vous confirmez {amount} {currency} à {payee}. Votre code est : "
     "{code}.",
     "Confirmez votre paiement {brand}",
     "Vous confirmez {amount} {currency} à {payee} avec {brand}. Votre code est :"},
    {"transaction", "es",
     "{code} confirma {amount} {currency} a {payee} ({brand}). Caduca en {minutes} min. Nunca "
     "lo compartas.",
     "Hola, te llamamos de {brand}. Confirmas {amount} {currency} a {payee}. Tu código es: "
     "{code}.",
     "Confirma tu pago en {brand}",
     "Confirmas {amount} {currency} a {payee} en {brand}. Tu código es:"},
    {"transaction", "pt",
     "{code} confirma {amount} {currency} para {payee} ({brand}). Expira em {minutes} min. "
     "Nunca compartilhe.",
     "Olá, aqui é {brand}. Você confirma {amount} {currency} para {payee}. Seu código é: "
     "{code}.",
     "Confirme seu pagamento em {brand}",
     "Você confirma {amount} {currency} para {payee} em {brand}. Seu código é:"},
    {"transaction", "it",
     "{code} conferma {amount} {currency} a {payee} ({brand}). Scade tra {minutes} min. Non "
     "condividerlo mai.",
     "Buongiorno, qui {brand}. Confermi {amount} {currency} a {payee}. Il tuo codice è: {code}.",
     "Conferma il tuo pagamento {brand}",
     "Confermi {amount} {currency} a {payee} con {brand}. Il tuo codice è:"},
    {"password_reset", "en",
     "{code} resets your {brand} password. It expires in {minutes} min. Do not share it. Not "
     "you? Ignore it.",
     "Hello, this is {brand}. Your code to reset your password is: {code}.",
     "Reset your {brand} password", "Your code to reset your {brand} password is:"},
    {"password_reset", "de",
     "{code} setzt Ihr {brand}-Passwort zurück. Gilt {minutes} Min. Nicht weitergeben. Nicht "
     "angefordert? Ignorieren.",
     "Guten Tag, hier ist {brand}. Ihr Code zum Zurücksetzen des Passworts lautet: {code}.",
     "{brand}-Passwort zurücksetzen", "Ihr Code zum Zurücksetzen des {brand}-Passworts lautet:"},
    {"password_reset", "fr",
     "{code} réinitialise votre mot de passe {brand}. Valable {minutes} min. Ne le communiquez "
     "à personne.",
     "Bonjour, ici {brand}. Votre code pour réinitialiser le mot de passe est : {code}.",
     "Réinitialisez votre mot de passe {brand}",
     "Votre code pour réinitialiser votre mot de passe {brand} est :"},
    {"password_reset", "es",
     "{code} restablece tu clave de {brand}. Caduca en {minutes} min. No lo compartas. Si no "
     "lo pediste, no hagas nada.",
     "Hola, te llamamos de {brand}. Tu código para restablecer la contraseña es: {code}.",
     "Restablece tu contraseña de {brand}",
     "Tu código para restablecer tu contraseña de {brand} es:"},
    {"password_reset", "pt",
     "{code} redefine sua senha de {brand}. Expira em {minutes} min. Nunca compartilhe. Se o "
     "pedido for de outro, ignore.",
     "Olá, aqui é {brand}. Seu código para redefinir a senha é: {code}.",
     "Redefina sua senha de {brand}", "Seu código para redefinir sua senha de {brand} é:"},
    {"password_reset", "it",
     "{code} reimposta la tua password {brand}. Scade tra {minutes} min. Non condividerlo. Non "
     "sei stato tu? Ignoralo.",
     "Buongiorno, qui {brand}. Il tuo codice per reimpostare la password è: {code}.",
     "Reimposta la tua password {brand}", "Il tuo codice per reimpostare la password {brand} è:"},
    {"default", "en",
     "{code} is your {brand} code. It expires in {minutes} min. Do not share it with anyone.",
     "Hello, this is {brand}. Your code is: {code}.", "Your {brand} code", "Your {brand} code is:"},
    {"default", "de",
     "{code} ist Ihr Code für {brand}. Er gilt {minutes} Min. Geben Sie ihn niemandem weiter.",
     "Guten Tag, hier ist {brand}. Ihr Code lautet: {code}.", "Ihr Code für {brand}",
     "Ihr Code für {brand} lautet:"},
    {"default", "fr",
     "{code} est votre code {brand}. Valable {minutes} min. Ne le communiquez à personne.",
     "Bonjour, ici {brand}. Votre code est : {code}.", "Votre code {brand}",
     "Votre code {brand} est :"},
    {"default", "es",
     "{code} es tu clave de {brand}. Caduca en {minutes} min. No la compartas con nadie.",
     "Hola, te llamamos de {brand}. Tu código es: {code}.", "Tu código de {brand}",
     "Tu código de {brand} es:"},
    {"default", "pt",
     "Use {code} em {brand}. Expira em {minutes} min. Nunca compartilhe com outra pessoa.",
     "Olá, aqui é {brand}. Seu código é: {code}.", "Seu código de {brand}",
     "Seu código de {brand} é:"},
    {"default", "it",
     "{code} è il tuo codice {brand}. Scade tra {minutes} min. Non condividerlo con nessuno.",
     "Buongiorno, qui {brand}. Il tuo codice è: {code}.", "Il tuo codice {brand}",
     "Il tuo codice {brand} è:"},
};

std::string email_text(const Wording& wording, const Phrases& phrases) {
  return std::string(wording.email) + "\n\n{code}\n\n" + phrases.email_link + "\n" +
         phrases.email_end + "\n";
}

}  // namespace

std::vector<BuiltinTemplate> builtin_templates() {
  std::vector<BuiltinTemplate> out;
  for (const Wording& w : k_wordings) {
    for (const Phrases& p : k_phrases) {
      if (std::string_view(p.locale) != w.locale) continue;
      out.push_back({w.purpose, "sms", w.locale, {"", w.sms}});
      out.push_back({w.purpose, "whatsapp", w.locale, {"", w.sms}});
      out.push_back({w.purpose, "voice", w.locale, {"", std::string(w.voice) + " " + p.voice_end}});
      out.push_back({w.purpose, "email", w.locale, {w.subject, email_text(w, p)}});
    }
  }
  return out;
}

}  // namespace otpd::delivery
