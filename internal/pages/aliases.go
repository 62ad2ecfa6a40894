package pages

import "net/http"

// aliases are addresses that people type who know Prometheus or Alertmanager, and
// the pages that have what is there.
func aliases() map[string]string {
	return map[string]string{"/alerts": "/alertmanager/", "/silences": "/silence", "/query": "/graph"}
}

// aliasRoutes lead from the aliases to the pages.
func (p *Pages) aliasRoutes(mux *http.ServeMux) {
	for from, to := range aliases() {
		lead := func(w http.ResponseWriter, r *http.Request) {
			target := to
			if r.URL.RawQuery != "" { // an expression, or the language
				target += "?" + r.URL.RawQuery
			}
			http.Redirect(w, r, target, http.StatusFound)
		}
		mux.HandleFunc("GET "+from, lead)
		mux.HandleFunc("GET "+from+"/{$}", lead)
	}
}

// elsewhereRoutes say, where there is no Prometheus and no Alertmanager in this
// process, who has what is asked for.
func (p *Pages) elsewhereRoutes(mux *http.ServeMux) {
	tell := func(w http.ResponseWriter, r *http.Request) {
		p.fail(w, r, http.StatusNotFound, chooseLanguage(w, r).T("error.elsewhere"))
	}
	for path := range aliases() {
		mux.HandleFunc("GET "+path, tell)
		mux.HandleFunc("GET "+path+"/{$}", tell)
	}
	mux.HandleFunc("GET /silence", tell)
	mux.HandleFunc("GET /graph", tell)
	mux.HandleFunc("GET /alertmanager/{$}", tell)
}
